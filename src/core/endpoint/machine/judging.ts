// Once a second: what was reported is judged, homes may be sent to or not, and what is broken is made again.
import { isSame } from '../../equality/equality.ts';
import { meterWindowMs } from '../../home/verification.ts';
import { ask } from '../../machine/agenda.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import { classId } from '../../plan/tc.ts';
import type { TcListing } from '../../plan/tc-listing.ts';
import type { StreamEvidence } from '../judgement.ts';
import type { Report } from './events.ts';
import { closeSessions, isSilent } from './sessions.ts';
import { type EndpointState, type Session, STREAM_PARTS, WHOLE } from './state.ts';
import { changeSessions, forbid, log, type Turn } from './turn.ts';

/** Repairs that follow one another are spaced so. */
const REPAIR_EVERY_MS = 5000;
/** Time without a report after which what shapes is not alive. */
const REPORT_WITHIN_MS = 3500;

/** Hears of a second that has passed. */
export function hearSecond(turn: Turn, report: Report | null): void {
  const { state, now } = turn;
  if (report) state.reportedMs = now.monotonicMs;
  const isBroken = state.up && judge(turn, report);
  // What keeps homes away is looked for too.
  if (state.up && state.sessions.length === 0) ask(turn, 'look');
  const isDue = now.monotonicMs - state.repairedMs > REPAIR_EVERY_MS;
  if (!isDue || !(isBroken || state.failures.length > 0)) return;
  state.repairedMs = now.monotonicMs;
  if (isBroken) {
    state.queue = null;
    ask(turn, ...STREAM_PARTS);
  }
  if (state.failures.length === 0) return;
  ask(turn, ...state.failures.map(({ part }) => part), ...WHOLE);
}

/** Whether something has to be made again. */
function judge(turn: Turn, report: Report | null): boolean {
  const { state, now } = turn;
  closeSessions(turn, (session) => isSilent(session, now.monotonicMs));
  if (state.queueIsNew) return false;
  if (now.monotonicMs - state.reportedMs > REPORT_WITHIN_MS) {
    forbid(turn);
    noteFaults(turn, [notice('queue-unread')]);
    return true;
  }
  // A home that came or went since tc was asked is looked at next time.
  if (!report?.listing || !isOfClasses(report, state)) return false;
  const { listing, minors } = report;
  noteCounts(turn, listing);
  const streams = state.sessions
    .filter(({ host, standing }) => standing !== null && minors.includes(host))
    .map((session) => evidenceOf(session, now.monotonicMs));
  const { open, faults, repair } = turn.judgeEvidence({ listing, minors, streams });
  changeSessions(turn, (session) => ({ ...session, open: open.includes(session.host) }));
  noteFaults(turn, faults);
  ask(turn, 'look');
  return repair;
}

function noteFaults(turn: Turn, faults: readonly Notice[]): void {
  const { state } = turn;
  const fault = faults[0] ?? null;
  if (fault && !isSame(fault, state.fault)) for (const one of faults) log(turn, 'warning', one);
  state.fault = fault;
}

/** Whether tc was asked when the classes were those that ought to be there now. */
function isOfClasses({ minors }: Report, { classes }: EndpointState): boolean {
  const wanted = classes.map(({ minor }) => minor);
  return minors.length === wanted.length && minors.every((minor) => wanted.includes(minor));
}

function noteCounts(turn: Turn, listing: TcListing): void {
  changeSessions(turn, (session) => {
    const listed = listing.classes.find(({ id }) => id === classId(session.host));
    const meter = session.meter.with(listed?.packets ?? 0, turn.now.monotonicMs);
    return { ...session, meter };
  });
}

function evidenceOf(session: Session, nowMs: number): StreamEvidence {
  const { host, name, shape, meter, open, settlesMs } = session;
  const perSecond = meter.perSecond(meterWindowMs(shape));
  return { host, name, shape, perSecond, settling: open && nowMs < settlesMs };
}
