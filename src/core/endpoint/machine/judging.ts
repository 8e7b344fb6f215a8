// Once a second: what was reported is judged, homes may be sent to or not, and what is broken is made again.
import { isSame } from '../../equality/equality.ts';
import type { SlotMeter } from '../../home/slot-meter.ts';
import { measureStream } from '../../home/verification.ts';
import { ask } from '../../machine/agenda.ts';
import { Silence } from '../../machine/silence.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import { CLOCK_HANDLE } from '../../plan/names.ts';
import { classId } from '../../plan/tc.ts';
import type { TcListing } from '../../plan/tc-listing.ts';
import { slotsPerSecond } from '../../stream/stream.ts';
import type { EndpointVerdict, StreamEvidence } from '../judgement.ts';
import { forgetRefusals } from './admission/admitting.ts';
import { countSent, noteShares } from './admission/counting.ts';
import { tendDrain } from './admission/draining.ts';
import { STREAM_PARTS, WHOLE } from './agenda.ts';
import { mendClock, standingOf, tendClock } from './clock.ts';
import type { Report } from './events.ts';
import { closeSessions, isSilent } from './sessions.ts';
import type { Session } from './state.ts';
import { changeSessions, forbid, isDistrusted, log, type Turn } from './turn.ts';

/** Repairs that follow one another are spaced so; twice as far each time that one has not helped, up to a bound. */
const REPAIR_EVERY_MS = 5000;
const REPAIR_AT_LEAST_EVERY_MS = 80_000;
/** Where no stream is in order although each was made again so often, it is the queue that has to be. */
const IN_VAIN = 2;
/** While no home is there the netdev is put up again so often, whether it is down or not. */
const RAISE_EVERY_MS = 15_000;
/** Age of the newest report from which on what shapes is not alive; one is a second old when it comes. */
const REPORT_WITHIN_MS = 4500;

type Repair = Pick<EndpointVerdict, 'rebuild' | 'broken'>;

const NOTHING: Repair = { rebuild: false, broken: [] };

/** Hears of a second that has passed. */
export function hearSecond(turn: Turn, report: Report | null): void {
  const { state, now } = turn;
  // What was said before something else was reported, or stood, says nothing of now.
  const isNewest = report !== null && report.takenMs > state.reportedMs;
  if (isNewest) state.reportedMs = report.takenMs;
  state.silence = isNewest ? Silence.from(now.monotonicMs) : state.silence.goOn(now.monotonicMs);
  // With no home there is no listing that would tell of a netdev that others took down. What has failed is tried with all that follows.
  if (
    state.up &&
    state.failures.length === 0 &&
    state.sessions.length === 0 &&
    now.monotonicMs - state.raisedMs > RAISE_EVERY_MS
  ) {
    state.raisedMs = now.monotonicMs;
    ask(turn, 'index', 'queue');
  }
  const { rebuild, broken } = state.up ? judge(turn, isNewest ? report : null) : NOTHING;
  repairStreams(turn, broken);
  tendClock(turn);
  forgetRefusals(turn);
  tendDrain(turn);
  // What keeps homes away is looked for too.
  if (state.up && state.sessions.length === 0) ask(turn, 'look');
  if (!(rebuild || state.failures.length > 0) || !isDue(turn, state)) return;
  state.repairedMs = now.monotonicMs;
  if (rebuild) {
    state.repairs++;
    state.queue = null;
    ask(turn, ...STREAM_PARTS);
  }
  if (state.failures.length === 0) return;
  ask(turn, ...state.failures.map(({ part }) => part), ...WHOLE);
}

/** A machine too busy to keep the streams is not made less busy by repairs. */
function isDue(
  { now }: Turn,
  { repairedMs, repairs }: Pick<Session, 'repairedMs' | 'repairs'>,
): boolean {
  const pauseMs = Math.min(
    REPAIR_EVERY_MS * 2 ** Math.max(0, repairs - 1),
    REPAIR_AT_LEAST_EVERY_MS,
  );
  return now.monotonicMs - repairedMs > pauseMs;
}

/** Has the streams to these homes made again; the others go on meanwhile. */
function repairStreams(turn: Turn, broken: readonly number[]): void {
  const { state, now } = turn;
  const due = state.sessions.filter(
    (session) => broken.includes(session.host) && isDue(turn, session),
  );
  if (due.length === 0) return;
  const hosts = due.map(({ host }) => host);
  state.broken = [...new Set([...state.broken, ...hosts])];
  changeSessions(turn, (session) =>
    due.includes(session)
      ? { ...session, repairedMs: now.monotonicMs, repairs: session.repairs + 1 }
      : session,
  );
  ask(turn, ...STREAM_PARTS);
}

/** What has to be made again. */
function judge(turn: Turn, report: Report | null): Repair {
  const { state, now } = turn;
  closeSessions(turn, (session) => isSilent(session, now.monotonicMs));
  if (state.queueIsNew) return NOTHING;
  if (now.monotonicMs - state.reportedMs > REPORT_WITHIN_MS) {
    forbid(turn);
    noteFaults(turn, [notice('queue-unread')]);
    // Where it is this process that was held up, what shapes has done nothing wrong.
    return { rebuild: state.silence.lengthMs > REPORT_WITHIN_MS, broken: [] };
  }
  // What was listed of other classes is judged by nothing: a second later they are listed as they are.
  if (
    !report?.listing ||
    state.made?.changes ||
    state.madeClock ||
    report.takenMs <= state.classesSinceMs
  )
    return NOTHING;
  const { listing } = report;
  noteCounts(turn, listing, report);
  countSent(turn, listing);
  noteShares(turn);
  const minors = state.classes.map(({ minor }) => minor);
  const streams = state.sessions.flatMap((session) => evidenceOf(session, turn));
  const clock = state.clock?.classes.map(({ minor }) => minor) ?? null;
  const verdict = turn.judgeEvidence({ listing, minors, clock, streams });
  const { open, faults, rebuild, broken } = verdict;
  changeSessions(turn, (session) => {
    const isOpen = open.includes(session.host) && !isDistrusted(turn, session.host);
    return { ...session, open: isOpen, repairs: isOpen ? 0 : session.repairs };
  });
  if (open.length > 0 || (streams.length === 0 && !rebuild)) state.repairs = 0;
  mendClock(turn, verdict);
  noteFaults(turn, faults);
  ask(turn, 'look');
  const { distrusted, sessions } = state;
  const isInVain =
    streams.length > 0 &&
    streams.every(({ host }) => broken.includes(host)) &&
    sessions.every(({ repairs, standing }) => standing === null || repairs >= IN_VAIN);
  return {
    rebuild: rebuild || isInVain || distrusted.includes(0),
    broken: [...broken, ...distrusted],
  };
}

function noteFaults(turn: Turn, faults: readonly Notice[]): void {
  const { state } = turn;
  const fault = faults[0] ?? null;
  if (fault && !isSame(fault, state.fault)) for (const one of faults) log(turn, 'warning', one);
  state.fault = fault;
}

/** Counts what was sent since each stream stands as it does. */
function noteCounts(
  turn: Turn,
  listing: TcListing,
  { takenMs, heardMs }: Pick<Report, 'takenMs' | 'heardMs'>,
): void {
  changeSessions(turn, (session) => {
    if (takenMs < session.standsSinceMs) return session;
    const listed = listing.classes.find(({ id }) => id === classId(session.host));
    const left = listing.clock?.classes.find(
      ({ id }) => id === classId(session.host, CLOCK_HANDLE),
    );
    return {
      ...session,
      meter: session.meter.with(listed?.packets ?? null, heardMs, takenMs),
      clocked: session.clocked.with(left?.packets ?? null, heardMs, takenMs),
    };
  });
}

/** Nothing of a stream that was never made: it is not sent to. */
function evidenceOf(session: Session, { state, now }: Turn): StreamEvidence[] {
  const { host, name, standing, meter, clocked, open, settlesMs, clockDoubts } = session;
  if (standing === null) return [];
  const isClocked = standingOf(state, host) > 0;
  const measured = (of: SlotMeter, starts: boolean): number | null =>
    measureStream(standing, (ms) => of.nearestPerSecond(ms, slotsPerSecond(standing)), starts);
  const clockedPerSecond = isClocked ? measured(clocked, !open) : null;
  // As long as nothing is known of its clock, less is not enough.
  const starts = !open && (!isClocked || clockedPerSecond !== null);
  return [
    {
      ...{ host, name, shape: standing, perSecond: measured(meter, starts), clockDoubts },
      clockedPerSecond,
      settling: open && now.monotonicMs < settlesMs,
    },
  ];
}
