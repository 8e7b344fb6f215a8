// What a person is told of an endpoint: one sentence, made of what is known and of nothing else.
import { type Notice, notice } from '../../notices/notice.ts';
import { sharedNotice } from './sessions.ts';
import type { EndpointState } from './state.ts';

/** What is told of the endpoint as a whole. */
export interface EndpointTold {
  state: 'shaping' | 'starting';
  reason: Notice;
  /** Why homes or their devices get nothing, with what to do. */
  troubles: readonly Notice[];
}

export function toldOf({
  up,
  failures,
  fault,
  troubles,
  findings,
  quiet,
  sessions,
  homes,
  clockTrouble,
}: EndpointState): EndpointTold {
  const serving = notice('endpoint-serving', { online: sessions.length, count: homes.length });
  const [trouble] = troubles;
  const shared = sessions.filter(({ sharing }) => sharing.isShared).map(sharedNotice);
  const usual = up ? serving : notice('endpoint-starting');
  const [finding = quiet] = [...findings, ...shared];
  const found = finding ? notice('endpoint-needs', { what: finding }) : usual;
  const said = trouble ? notice('endpoint-unserving', { why: trouble.notice }) : found;
  return {
    state: up ? 'shaping' : 'starting',
    reason: failures[0]?.fault ?? fault ?? said,
    troubles: [
      ...[...troubles.map((one) => one.notice), ...findings, ...(quiet ? [quiet] : [])].filter(
        isFirstOfItsKind,
      ),
      ...shared,
      ...(clockTrouble ? [clockTrouble.why] : []),
    ],
  };
}

/** The same may be seen by what passes and by what was tried. */
function isFirstOfItsKind({ code }: Notice, index: number, all: readonly Notice[]): boolean {
  return all.findIndex((other) => other.code === code) === index;
}
