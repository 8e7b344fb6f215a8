// What a person is told of an endpoint: one sentence, made of what is known and of nothing else.
import { type Notice, notice } from '../../notices/notice.ts';
import type { EndpointState } from './state.ts';

/** What is told of the endpoint as a whole. */
export interface EndpointTold {
  state: 'shaping' | 'starting';
  reason: Notice;
  /** Why homes' devices get nothing, with what to do. */
  troubles: readonly Notice[];
}

export function toldOf({
  up,
  failures,
  fault,
  troubles,
  sessions,
  homes,
}: EndpointState): EndpointTold {
  const serving = notice('endpoint-serving', { online: sessions.length, count: homes.length });
  const [trouble] = troubles;
  const usual = up ? serving : notice('endpoint-starting');
  const said = trouble ? notice('endpoint-unserving', { why: trouble.notice }) : usual;
  return {
    state: up ? 'shaping' : 'starting',
    reason: failures[0]?.fault ?? fault ?? said,
    troubles: troubles.map((one) => one.notice),
  };
}
