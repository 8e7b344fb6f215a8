// Counts packets where they come in and where they leave again: what comes in and never leaves, rules of others drop.
import { DEVICE_ZONE, hexMark, MARK_MASK, MARK_TUNNEL } from '../names.ts';
import { block, comment } from './nft-text.ts';

/** Ways through a home's router, by family: from a device to the tunnel, and back. */
export const homePassages = ['device4', 'device6', 'answer4', 'answer6'] as const;

/** Behind the chain in prerouting that marks devices' packets. */
const BEHIND_MARKING = 2147483001;

/** Names of the two counters of a passage. */
export function countersOf(passage: string): { entered: string; left: string } {
  return { entered: `${passage}_in`, left: `${passage}_out` };
}

export function renderCounters(passages: readonly string[]): string[][] {
  return passages.flatMap((passage) => {
    const { entered, left } = countersOf(passage);
    return [block(`counter ${entered}`, []), block(`counter ${left}`, [])];
  });
}

/** Counts devices' packets that may leave, behind the last rule that could send them elsewhere and behind the forward hook. */
export function renderHomePassage(innerNetdev: string): string[][] {
  const inZone = `ct original zone ${DEVICE_ZONE}`;
  const marked = `meta mark & ${hexMark(MARK_MASK)} == ${hexMark(MARK_TUNNEL)}`;
  const families = [
    ['ipv4', '4'],
    ['ipv6', '6'],
  ] as const;
  return [
    ...renderCounters(homePassages),
    block('chain passage_in', [
      `type filter hook prerouting priority ${BEHIND_MARKING}; policy accept;`,
      `${inZone} jump count_in ${comment('what comes in has to leave')}`,
    ]),
    block('chain passage_out', [
      'type filter hook postrouting priority srcnat + 20; policy accept;',
      `${inZone} jump count_out`,
    ]),
    block('chain count_in', [
      `ct state related return ${comment('an error told by somebody on the way is no answer')}`,
      ...families.map(
        ([family, number]) =>
          `meta nfproto ${family} ct direction original ${marked} meta protocol @alive counter name device${number}_in`,
      ),
      ...families.map(
        ([family, number]) =>
          `meta nfproto ${family} ct direction reply iifname "${innerNetdev}" counter name answer${number}_in`,
      ),
    ]),
    block('chain count_out', [
      'ct state related return',
      ...families.map(
        ([family, number]) =>
          `meta nfproto ${family} ct direction original oifname "${innerNetdev}" counter name device${number}_out`,
      ),
      ...families.map(
        ([family, number]) =>
          `meta nfproto ${family} ct direction reply oifname != "${innerNetdev}" counter name answer${number}_out`,
      ),
    ]),
  ];
}
