// The clock behind an endpoint's OpenVPN: a class a home, told apart by where on the Internet each of them is. As text.
import { ipVersion } from '../ip/address.ts';
import { type Shape, slotsPerSecond } from '../stream/stream.ts';
import {
  CLOCK_END_NETDEV,
  CLOCK_HANDLE,
  CLOCK_NETDEV,
  SMALLEST_PACKET_BYTES,
  STRAY_CLASS_MINOR,
} from './names.ts';
import {
  backHeadless,
  CLOCK_TABLE,
  LED_COUNTER,
  type PlannedClock,
  renderClockClass,
  renderClockClassRemove,
  renderClockRoot,
  renderNoClockChains,
  throughHeadless,
  type WayOut,
} from './outer-clock.ts';
import { ANY_TARGET, renderSpacerChain, renderSpacerMap, SPACERS_END } from './spacers.ts';
import { classId } from './tc.ts';

/** Where a home is on the Internet, as OpenVPN has heard it last. */
export interface HomePlace {
  host: number;
  address: string;
  /** Null where OpenVPN does not tell: a home's IPv6 address is nobody else's. */
  port: number | null;
}

/** A home's class there. */
export interface HomeClockClass {
  minor: number;
  shape: Shape;
  /** Slots that ought to stand there; 0 for a stream that is not to be held, and passes at once. */
  standing: number;
}

/** By which netdev homes are reached, and the port that their OpenVPN is spoken to from. */
export interface HomesWay extends WayOut {
  port: number;
}

/** What is to stand at an endpoint. */
export interface HomesClock {
  way: HomesWay;
  classes: readonly HomeClockClass[];
  places: readonly HomePlace[];
}

/** Where homes that OpenVPN has only just heard from a new place go, for a second or so. */
const STRAY: Shape = {
  rateKBps: 40,
  packetBytes: SMALLEST_PACKET_BYTES,
  mode: 'constant',
  sdPercent: 0,
};
/** What is not held passes as fast as any line is. */
const UNHELD: Shape = { rateKBps: 100_000, packetBytes: 1400, mode: 'constant', sdPercent: 0 };

/** All of it from nothing. @param uid whose datagrams may be spacers */
export function planHomesClock({ way, classes, places }: HomesClock, uid: number): PlannedClock {
  const queue = [
    renderClockRoot(STRAY_CLASS_MINOR),
    ...renderClockClass(STRAY_CLASS_MINOR, 1, strayShape(classes)),
    ...classes.flatMap(renderHomeClockClass),
  ];
  return { queue, chains: renderHomesChains(way, places, uid) };
}

/** No home's stream is slower there than where it came from; never a burst either. */
function strayShape(classes: readonly HomeClockClass[]): Shape {
  const held = classes.filter(({ standing }) => standing > 0).map(({ shape }) => shape);
  return held.reduce(
    (fastest, shape) => (slotsPerSecond(shape) > slotsPerSecond(fastest) ? shape : fastest),
    STRAY,
  );
}

/** Lines that make one home's class. */
function renderHomeClockClass({ minor, shape, standing }: HomeClockClass): string[] {
  return standing > 0
    ? renderClockClass(minor, standing, shape)
    : renderClockClass(minor, FEWEST_UNHELD, UNHELD);
}

/** Enough for what a plain tunnel may send at once. */
const FEWEST_UNHELD = 1000;

/** Lines that bring the class of those that come from nowhere known to what the homes have now. */
function renderStrayChange(classes: readonly HomeClockClass[]): string[] {
  const lines = renderClockClass(STRAY_CLASS_MINOR, 1, strayShape(classes));
  return lines.map((line) => line.replace(' add ', ' change '));
}

/** What is different about one that stands: classes that go and come, and which of its rules are loaded. */
export function planClockChange(
  { way, classes, places }: HomesClock,
  change: {
    gone: readonly number[];
    come: readonly HomeClockClass[];
    rules: 'none' | 'places' | 'chains';
  },
  uid: number,
): { gone: string[]; come: string[]; rules: string } {
  const rules = {
    none: '',
    places: renderPlaces(places),
    chains: renderHomesChains(way, places, uid),
  };
  return {
    gone: change.gone.flatMap(renderClockClassRemove),
    come: [...change.come.flatMap(renderHomeClockClass), ...renderStrayChange(classes)],
    rules: rules[change.rules],
  };
}

/** Says which class a packet to a place is of; HTB takes it from there (sch_htb.c, htb_classify). */
const MAPS = {
  ip: { name: 'homes4', type: 'ipv4_addr . inet_service', key: 'ip daddr . udp dport' },
  ip6: { name: 'homes6', type: 'ipv6_addr', key: 'ip6 daddr' },
} as const;
const FAMILIES = ['ip', 'ip6'] as const;

/**
 * The chains on the way out and back. What is led there is a copy: it no longer counts against OpenVPN's socket, which all
 * homes share, so that what stands there for one of them holds nothing up for another. The packet itself ends at the pair's
 * other end, since the kernel would tell OpenVPN of one that is dropped.
 */
export function renderHomesChains(
  { netdev, port, isEthernet }: HomesWay,
  places: readonly HomePlace[],
  uid: number,
): string {
  const led = `counter name ${LED_COUNTER}`;
  const through = isEthernet
    ? [`${led} dup to "${CLOCK_NETDEV}" fwd to "${CLOCK_END_NETDEV}"`]
    : FAMILIES.map((ip) => `meta protocol ${ip} ${led} ${throughHeadless(ip)}`);
  const back = isEthernet ? [`fwd to "${netdev}"`] : FAMILIES.map((ip) => backHeadless(ip, netdev));
  const maps = FAMILIES.flatMap((ip) => [
    `	map ${MAPS[ip].name} {`,
    `		type ${MAPS[ip].type} : classid`,
    ...elementLines(elementsOf(ip, places)),
    '	}',
    '',
  ]);
  const lines = [
    `table ${CLOCK_TABLE} {`,
    `	counter ${LED_COUNTER} {`,
    '	}',
    '',
    ...maps,
    ...renderSpacerMap(),
    '	chain clock {',
    ...FAMILIES.map((ip) => `		meta priority set ${MAPS[ip].key} map @${MAPS[ip].name}`),
    ...through.map((rule) => `		${rule}`),
    '	}',
    '',
    '	chain out {',
    `		type filter hook egress device "${netdev}" priority 0; policy accept;`,
    `		meta pkttype != other udp sport ${port} jump clock`,
    '	}',
    '',
    '	chain back {',
    `		type filter hook ingress device "${CLOCK_END_NETDEV}" priority 0; policy drop;`,
    `		${SPACERS_END}`,
    ...back.map((rule) => `		${rule}`),
    '	}',
    '',
    '	chain spent {',
    `		type filter hook ingress device "${CLOCK_NETDEV}" priority 0; policy drop;`,
    '	}',
    '',
    ...renderSpacerChain(ANY_TARGET, uid),
    '}',
    '',
  ];
  return `${renderNoClockChains()}${lines.join('\n')}`;
}

function elementLines(elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`		elements = { ${elements.join(', ')} }`];
}

/** Elements of one family's map. Of homes that are at the same place none can be told. */
function elementsOf(ip: keyof typeof MAPS, places: readonly HomePlace[]): string[] {
  const version = ip === 'ip6' ? 6 : 4;
  const keys = places
    .filter(({ address }) => ipVersion(address) === version)
    .map(({ host, address, port }) => ({
      host,
      key: ip === 'ip6' ? address : `${address} . ${port}`,
    }));
  const isAlone = ({ key }: { key: string }): boolean =>
    keys.filter((other) => other.key === key).length === 1;
  return keys.filter(isAlone).map(({ host, key }) => `${key} : ${classId(host, CLOCK_HANDLE)}`);
}

/** The commands that have homes found at these places alone, in one transaction: nobody else's packets notice. */
export function renderPlaces(places: readonly HomePlace[]): string {
  return FAMILIES.flatMap((ip) => {
    const map = `${CLOCK_TABLE} ${MAPS[ip].name}`;
    const elements = elementsOf(ip, places);
    return [
      `flush map ${map}`,
      ...(elements.length === 0 ? [] : [`add element ${map} { ${elements.join(', ')} }`]),
    ];
  })
    .map((line) => `${line}\n`)
    .join('');
}
