// What a person is told of an endpoint: one sentence, made of what is known and of nothing else.
import type { Notice } from '../../notices/notice.ts';
import { notice } from '../notice.ts';
import { refusedNotice } from './admission/admitting.ts';
import { stayingNotice } from './admission/draining.ts';
import { sharedNotice } from './sessions.ts';
import type { EndpointState } from './state.ts';
import { log, type Turn } from './turn.ts';

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
  refusals,
  short,
  drained,
  sentOn,
}: EndpointState): EndpointTold {
  const counts = { online: sessions.length, count: homes.length };
  const serving = notice(drained === null ? 'endpoint-serving' : 'endpoint-drained', counts);
  const [trouble] = troubles;
  const shared = sessions.filter(({ sharing }) => sharing.isShared).map(sharedNotice);
  const refused = homes.flatMap((home) => {
    const refusal = refusals.get(home.host)?.refusal;
    return refusal ? [refusedNotice(home, refusal)] : [];
  });
  const staying = homes.filter(({ host }) => sentOn.get(host)?.stays).map(stayingNotice);
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
      ...(short ? [short] : []),
      ...refused,
      ...staying,
      ...(clockTrouble ? [clockTrouble.why] : []),
    ],
  };
}

export function tellHomes(turn: Turn): void {
  const { homes, place, wasStarted } = turn.state;
  const { host, port } = place.identity;
  const count = homes.length;
  const names = homes.map(({ name }) => name).join(', ');
  const told = wasStarted
    ? notice('homes-now', { count, names })
    : notice('endpoint-at', { host, port: `${port}`, count });
  log(turn, 'notice', told);
}

/** The same may be seen by what passes and by what was tried. */
function isFirstOfItsKind({ code }: Notice, index: number, all: readonly Notice[]): boolean {
  return all.findIndex((other) => other.code === code) === index;
}
