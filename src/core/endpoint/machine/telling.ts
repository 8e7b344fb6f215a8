// What a person is told of an endpoint: one sentence, made of what is known and of nothing else.
import { type Notice, notice } from '../../notices/notice.ts';
import type { EndpointState } from './state.ts';

/** What is told of the endpoint as a whole. */
export interface EndpointTold {
  state: 'shaping' | 'starting';
  reason: Notice;
}

export function toldOf({ up, failures, fault, sessions, homes }: EndpointState): EndpointTold {
  const serving = notice('endpoint-serving', { online: sessions.length, count: homes.length });
  return {
    state: up ? 'shaping' : 'starting',
    reason: failures[0]?.fault ?? fault ?? (up ? serving : notice('endpoint-starting')),
  };
}
