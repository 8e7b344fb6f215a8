// Rules for what an endpoint sends into the tunnel: slots, each of its home's own size, and nothing else.
import { EDITION_AT, FIRST } from '../../framing/frame.ts';
import {
  AHEAD_PRIORITY,
  CONTROL_PORT,
  COVER_PORT,
  COVER_PRIORITY,
  FRAME_PORT,
  FRAME_PRIORITY,
  SMALLEST_PACKET_BYTES,
} from '../names.ts';
import { comment } from './nft-text.ts';

export interface SlotsHome {
  /** In the tunnel. */
  address: string;
  /** Size of its slots; null for a home that is not there. */
  packetBytes: number | null;
}

/**
 * What to do with a packet to the tunnel. It is looked up among the homes of one size rather than compared with each: there are
 * as many rules as sizes, and what a slot costs does not grow with homes.
 *
 * @param uid of the service, which alone may send there.
 */
export function slotsRules(uid: number, homes: readonly SlotsHome[]): string[] {
  const sizes = new Set(homes.map(({ packetBytes }) => packetBytes));
  return [
    ...[...sizes].flatMap((size) => {
      const addresses = homes
        .filter(({ packetBytes }) => packetBytes === size)
        .map(({ address }) => address);
      const mine = `ip daddr { ${addresses.join(', ')} } meta skuid ${uid} meta length`;
      return size === null ? challengeRules(mine) : sizeRules(mine, size);
    }),
    'counter name stray_out drop',
  ];
}

/** Its edition, counted in bits from where UDP's header of 8 bytes begins, is above that of a first one. */
const IS_AHEAD = `@th,${8 * (8 + EDITION_AT)},8 > 0x${FIRST}`;

/** What lets frames leave. @param to matches a packet of a slot's size up to its UDP port. @param when they may leave */
export function frameRules(to: string, when: string): string[] {
  const frame = `${to} dport ${FRAME_PORT} ${when}`;
  return [
    `${frame} ${IS_AHEAD} meta priority set 0:${AHEAD_PRIORITY} accept`,
    `${frame} meta priority set 0:${FRAME_PRIORITY} accept`,
  ];
}

/** A home has to prove itself before it has a stream; what asks it for that is one small packet. */
function challengeRules(mine: string): string[] {
  return [
    `${mine} ${SMALLEST_PACKET_BYTES} udp dport ${CONTROL_PORT} accept ${comment('homes that are not there yet')}`,
  ];
}

function sizeRules(mine: string, packetBytes: number): string[] {
  const to = `${mine} ${packetBytes} udp`;
  return [
    `${to} dport ${COVER_PORT} meta priority set 0:${COVER_PRIORITY} accept ${comment(`homes of ${packetBytes} bytes`)}`,
    `${mine} <= ${packetBytes} udp dport ${CONTROL_PORT} meta priority set 0:${FRAME_PRIORITY} accept`,
    ...frameRules(to, 'ip daddr @alive'),
  ];
}
