// Once a second, oftener at first: what was seen is judged, and devices go on or are stopped; what is broken is made again.

import { isSame } from '../../equality/equality.ts';
import { ask, isAsked } from '../../machine/agenda.ts';
import { Silence } from '../../machine/silence.ts';
import type { Notice } from '../../notices/notice.ts';
import type { TcListing } from '../../plan/tc-listing.ts';
import { type Shape, shapeOf, slotsPerSecond } from '../../stream/stream.ts';
import { Arrivals } from '../delivery/shortfall.ts';
import { hasNewcomer } from '../devices/inner-addresses.ts';
import type { Verdict } from '../judgement.ts';
import { SlotMeter } from '../slot-meter.ts';
import { findTakenRanges } from '../taken-ranges.ts';
import { measureStream, meterWindowMs } from '../verification.ts';
import { forgetClock, giveUpClock, neededClock, noteClock } from './clock.ts';
import { deliver } from './delivering.ts';
import type { Sight } from './events.ts';
import { wantsReconnect } from './flow.ts';
import { refusalOf } from './refused.ts';
import { type DesiredState, desiredOf, WHOLE } from './state.ts';
import { passTrial } from './trial.ts';
import { forbid, type Turn } from './turn.ts';

/** So long no look finds a fault before devices may go on: the first that finds none is not enough. */
const GOOD_FOR_MS = 300;
/** Repairs that follow one another are spaced so. */
const REPAIR_EVERY_MS = 3000;
/** A stream of which a part goes on is more likely held up by the line, which no new queue mends. */
const REPAIR_THIN_EVERY_MS = 60_000;
/** Shares of the slots asked, in the last second, between which a stream goes on without being whole. */
const GOES_ON = 0.1;
const IS_WHOLE = 0.6;
/** After a change of rate the streams are measured again; so long the old verdict on them stands. */
const SETTLE_MS = 4000;
/** A device that is sent elsewhere may say nothing for a while. */
const ASTRAY_MS = 10_000;
/** Ticks from one look around the house to the next. */
const SURROUNDINGS_EVERY = 10;
/** Age of the newest report from which on what shapes is not alive; one is a second old when it comes. */
const REPORT_WITHIN_MS = 4500;

/** Hears of a second that has passed; of what was listed before the queue was made, or heard already, nothing. */
export function hearSecond(turn: Turn, listing: TcListing | null, takenMs: number | null): void {
  const { state, now } = turn;
  if (takenMs !== null && takenMs > Math.max(state.queueSinceMs, state.reportedMs)) {
    state.listing = listing;
    noteClock(turn, listing, takenMs);
    state.reportedMs = takenMs;
    state.silence = Silence.from(now.monotonicMs);
  } else state.silence = state.silence.goOn(now.monotonicMs);
  ask(turn, 'look');
}

/** What paces a new queue has only just begun: its first report comes in a second. */
export function awaitReport({ state, now }: Turn): void {
  state.reportedMs = now.monotonicMs;
  state.silence = Silence.from(now.monotonicMs);
}

/** Takes in what was seen, and decides. */
export function judge(turn: Turn, sight: Sight): void {
  const { state, now } = turn;
  const desired = desiredOf(state);
  if (!desired) return;
  state.ticks++;
  // A look that began under another configuration knows nothing of the rates of this one.
  if (sight.config === desired.config && !isSame(sight.rate, desired.rate)) {
    state.intent = { kind: 'on', desired: { ...desired, rate: sight.rate } };
    ask(turn, ...WHOLE);
  }
  const verdict = readVerdict(turn, desired, sight);
  // Before the sentence that says that all is well.
  const isNews = sight.resolvers.some((mac) => !state.near.resolvers.includes(mac));
  if (isNews) ask(turn, 'near', 'rules', 'boot');
  if (hasNewcomer(sight.senders, state.near.innerPlaces)) ask(turn, 'near', 'rules');
  if (verdict.faults.length > 0) {
    block(turn, verdict.faults[0]!);
  } else if (!isNews) {
    state.goodSinceMs = Math.min(state.goodSinceMs, now.monotonicMs);
    if (now.monotonicMs - state.goodSinceMs >= GOOD_FOR_MS) permit(turn);
  }
  if (verdict.clockBypassed) giveUpClock(turn);
  passTrial(turn);
  deliver(turn, sight);
  const { monotonicMs } = now;
  const isThin =
    verdict.streamBroken && goesOn(state.sent, shapeOf(desired.config, desired.rate.uploadKBps));
  const everyMs = isThin ? REPAIR_THIN_EVERY_MS : REPAIR_EVERY_MS;
  // What is being made is not begun again: where each part takes its time the last one would never have its turn.
  const isUnderWay = isAsked(turn, 'streams') && !state.failure;
  const isDue = (verdict.repair || state.failure) && monotonicMs - state.repairedMs > everyMs;
  // Put back as they were loaded, first and whatever else can't be done.
  if (isDue && !sight.rulesIntact) ask(turn, 'restore');
  if (isDue && !isUnderWay) {
    state.repairedMs = monotonicMs;
    if (verdict.streamBroken) state.sent = SlotMeter.EMPTY;
    if (verdict.clockBroken) forgetClock(turn);
    state.again = [
      ...state.again,
      ...(state.failure ? (['rules'] as const) : []),
      'queue',
      'clock',
    ];
    state.failure = null;
    if (state.connected) ask(turn, 'connect');
    ask(turn, ...WHOLE);
  } else if (wantsReconnect(turn, shapeOf(desired.config, desired.rate.downloadKBps)))
    turn.acts.push({ do: 'reconnect', next: desired.profile.remotes.length > 1 });
  if (state.ticks % SURROUNDINGS_EVERY === 1 && !isUnderWay) ask(turn, ...WHOLE);
}

/** Has the queue and what paces it made again at once, unless that was just done. */
export function repairQueue(turn: Turn): void {
  const { state, now } = turn;
  if (state.tunnelState !== 'up' || now.monotonicMs - state.repairedMs <= REPAIR_EVERY_MS) return;
  state.repairedMs = now.monotonicMs;
  state.again = [...state.again, 'queue'];
  ask(turn, ...WHOLE);
}

/** Stops devices, for a reason that a person is told. */
export function block(turn: Turn, fault: Notice): void {
  forbid(turn);
  turn.state.obstacle = fault;
}

function permit(turn: Turn): void {
  const { state, acts } = turn;
  state.obstacle = null;
  state.everPermitted = true;
  if (state.permitted) return;
  state.permitted = true;
  acts.push({ do: 'gate', open: true });
  ask(turn, 'permit');
}

function readVerdict(turn: Turn, { config, rate, profile }: DesiredState, sight: Sight): Verdict {
  const { state, now } = turn;
  const { monotonicMs } = now;
  const upload = shapeOf(config, rate.uploadKBps);
  const download = shapeOf(config, rate.downloadKBps);
  noteShapes(turn, upload, download);
  state.sent = state.sent.with(sight.sentPackets, sight.takenMs);
  state.received = state.received.with(sight.receivedPackets, sight.takenMs);
  // A counter that went back was made again with its table.
  if (sight.astray > state.astray) state.astrayMs = monotonicMs;
  state.astray = sight.astray;
  return turn.judgeEvidence({
    tunnelState: state.tunnel ? state.tunnelState : 'down',
    trouble: state.trouble,
    blocking: [
      ...state.house.networkFindings.filter(({ blocks }) => blocks),
      ...findTakenRanges(profile.inside, state.house.addressed),
      ...(state.routeFault === null ? [] : [state.routeFault]),
      ...(state.failure === null ? [] : [state.failure]),
    ],
    listing: state.listing,
    clock: neededClock(state),
    clockMade: state.clock,
    chains: sight.chains,
    isReported: monotonicMs - state.reportedMs < REPORT_WITHIN_MS,
    isSilent: state.silence.lengthMs >= REPORT_WITHIN_MS,
    rulesIntact: sight.rulesIntact,
    astray: monotonicMs - state.astrayMs < ASTRAY_MS,
    upload,
    download,
    sentPerSecond: slotsOf(turn, upload, state.sent),
    clockedPerSecond: slotsOf(turn, upload, state.clocked),
    receivedPerSecond: slotsOf(turn, download, state.received),
    isSending: goesOn(state.sent, upload),
    isReceiving: goesOn(state.received, download),
    answerSilentMs: sight.answerSilentMs,
    smallerBytes: sight.smallerBytes,
    refusal: refusalOf(state, monotonicMs),
    isShared: state.welcome?.troubles.includes('shared') ?? false,
    // While a window fills after a change of rate, an old verdict without faults stands.
    settling: monotonicMs < state.settlesMs && state.permitted,
    alive: state.permitted,
  });
}

/** Those who were stopped wait for the whole window before they go on again. */
function slotsOf({ state }: Turn, shape: Shape, meter: SlotMeter): number | null {
  const starts = state.permitted || !state.everPermitted;
  return measureStream(shape, (windowMs) => meter.perSecond(windowMs), starts);
}

function goesOn(meter: SlotMeter, shape: Shape): boolean {
  const share = meter.latestPerSecond / slotsPerSecond(shape);
  return share > GOES_ON && share < IS_WHOLE;
}

function noteShapes({ state, now }: Turn, upload: Shape, download: Shape): void {
  const shapes = [upload, download];
  if (isSame(shapes, state.shapes)) return;
  state.shapes = shapes;
  state.sent = SlotMeter.EMPTY;
  state.clocked = SlotMeter.EMPTY;
  state.received = SlotMeter.EMPTY;
  state.arrivals = Arrivals.NONE;
  state.settlesMs = now.monotonicMs + SETTLE_MS + meterWindowMs(upload);
}
