// One step of the endpoint's machine under way: the state that becomes the next one, and what is to be done at once.
import { isSame } from '../../equality/equality.ts';
import type { Now } from '../../machine/step.ts';
import type { Notice } from '../../notices/notice.ts';
import type { EndpointEvidence, EndpointVerdict } from '../judgement.ts';
import type { Act } from './events.ts';
import type { EndpointState, Session } from './state.ts';

export interface Turn {
  /** This turn's own copy; its values are replaced, never changed. */
  readonly state: EndpointState;
  readonly acts: Act[];
  readonly now: Now;
  readonly judgeEvidence: (evidence: EndpointEvidence) => EndpointVerdict;
}

export function log({ acts }: Turn, level: 'warning' | 'notice', notice: Notice): void {
  acts.push({ do: 'log', level, notice });
}

/** Puts what `change` makes of each session in its place. */
export function changeSessions({ state }: Turn, change: (session: Session) => Session): void {
  state.sessions = state.sessions.map(change);
}

/** Stops frames to these homes until they are judged again; to all without a choice. */
export function forbid(turn: Turn, isMeant: (session: Session) => boolean = () => true): void {
  changeSessions(turn, (session) => (isMeant(session) ? { ...session, open: false } : session));
}

/** Whether something happened to the stream to a home, or to all, since it was made. */
export function isDistrusted({ state }: Turn, host: number): boolean {
  return state.distrusted.includes(0) || state.distrusted.includes(host);
}

/** Brings what may leave to what was judged: nothing leaves while no queue stands that would hold it back. */
export function setGates(turn: Turn): void {
  const { state, acts } = turn;
  changeSessions(turn, (session) => {
    const gate = session.open && !state.queueIsNew;
    if (gate === session.gate) return session;
    acts.push({ do: 'gate', host: session.host, open: gate });
    return { ...session, gate };
  });
}

/** Logs what was not known before. */
export function warnOfNew(turn: Turn, known: readonly Notice[], found: readonly Notice[]): void {
  for (const one of found) {
    if (!known.some((other) => isSame(other, one))) log(turn, 'warning', one);
  }
}
