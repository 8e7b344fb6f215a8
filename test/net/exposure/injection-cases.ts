// Whoever is no end of the tunnel speaks to addresses of its inside, and is heard by nobody.
import { join, resolve } from 'node:path';
import { CONTROL_PORT, FRAME_PORT, NAMES_PORT } from '../../../src/core/plan/names.ts';
import type { Place } from '../../../src/research/lab/bed/topology.ts';
import { lab } from '../../../src/research/lab/bed/topology.ts';
import { encodeQuestion } from '../../../src/research/lab/traffic/dns.ts';
import { eventually } from '../support.ts';
import type { ExposureCase } from './cases.ts';
import type { ExposureLab } from './exposure-lab.ts';

const INJECT = join(resolve('build/test/net/programs'), 'inject.js');
const COUNT = 40;

interface Injection {
  name: string;
  /** Who writes, and whom he reaches. */
  by: Place;
  at: 'router' | 'endpoint';
  from: string;
  fromPort: number;
  to: string;
  toPort: number;
  /** The neighbour through which he reaches it. */
  via: string;
  payload?: Uint8Array;
}

/** Stands for the endpoint's own, whose network is drawn at random. */
const INNER_RESOLVER_6 = 'inner';
const question = encodeQuestion({ id: 7, name: 'messeji.hello.is', type: 'A' });

const injections: Injection[] = [
  {
    name: 'frames from the provider’s link',
    ...{ by: 'provider', at: 'router', via: lab.homeAddress },
    ...{ from: '10.213.0.1', fromPort: FRAME_PORT, to: '10.213.0.2', toPort: FRAME_PORT },
  },
  {
    name: 'control messages from the provider’s link',
    ...{ by: 'provider', at: 'router', via: lab.homeAddress },
    ...{ from: '10.213.0.1', fromPort: CONTROL_PORT, to: '10.213.0.2', toPort: CONTROL_PORT },
  },
  {
    name: 'control messages from the devices’ LAN',
    ...{ by: 'devices', at: 'router', via: lab.lanAddress },
    ...{ from: '10.213.0.1', fromPort: CONTROL_PORT, to: '10.213.0.2', toPort: CONTROL_PORT },
  },
  {
    name: 'a hello as from the home, by a neighbour of the server',
    ...{ by: 'provider', at: 'endpoint', via: lab.endpointAddress },
    ...{ from: '10.213.0.2', fromPort: CONTROL_PORT, to: '10.213.0.1', toPort: CONTROL_PORT },
  },
  {
    name: 'DNS questions of a neighbour of the server',
    ...{ by: 'provider', at: 'endpoint', via: lab.endpointAddress, payload: question },
    ...{ from: '203.0.113.1', fromPort: 5353, to: '10.214.0.1', toPort: 53 },
  },
  {
    name: 'the same by IPv6',
    ...{ by: 'provider', at: 'endpoint', via: '2001:db8:203::10', payload: question },
    ...{ from: '2001:db8:203::1', fromPort: 5353, to: INNER_RESOLVER_6, toPort: 53 },
  },
] as const satisfies Injection[];

/** Packets with an address of the inside that came in, or would have left, by another netdev. */
async function strayed(exposure: ExposureLab, at: 'router' | 'endpoint'): Promise<number> {
  const argv = ['nft', 'list', 'counter', 'inet', 'iotshaper', 'strayed'];
  const text = await exposure.network.netns(at, argv);
  return Number(/packets (\d+)/.exec(text)![1]);
}

async function innerResolver6(exposure: ExposureLab): Promise<string> {
  const argv = ['ip', '-6', '-o', 'address', 'show', 'dev', 'iot0', 'scope', 'global'];
  return /inet6 (fd[0-9a-f:]+)/.exec(await exposure.network.netns('endpoint', argv))![1]!;
}

async function inject(exposure: ExposureLab, injection: Injection): Promise<void> {
  const { by, at, from, fromPort, toPort, via, payload = Buffer.alloc(484) } = injection;
  const to = injection.to === INNER_RESOLVER_6 ? await innerResolver6(exposure) : injection.to;
  const ip = (...words: string[]) =>
    exposure.network.netns(by, ['ip', ...(to.includes(':') ? ['-6'] : []), ...words]);
  const borrowed = from.startsWith('10.213.');
  if (borrowed) await ip('address', 'add', `${from}/32`, 'dev', 'lo');
  await ip('route', 'add', to, 'via', via, ...(by === 'devices' ? ['dev', 'd1', 'onlink'] : []));
  try {
    const before = await strayed(exposure, at);
    const argv = [
      from,
      `${fromPort}`,
      to,
      `${toPort}`,
      `${COUNT}`,
      Buffer.from(payload).toString('hex'),
    ];
    const { answers } = JSON.parse(
      await exposure.network.netns(by, [process.execPath, INJECT, ...argv]),
    ) as { answers: number };
    if (answers > 0) throw new Error(`${injection.name}: ${answers} of ${COUNT} were answered`);
    await eventually(
      `${injection.name}: ${COUNT} dropped`,
      async () => (await strayed(exposure, at)) - before >= COUNT,
    );
  } finally {
    await ip('route', 'del', to, 'via', via);
    if (borrowed) await ip('address', 'del', `${from}/32`, 'dev', 'lo');
  }
}

/** Addresses and ports on which something of a namespace can be spoken to; `*` for a port the kernel chose. */
async function listening(exposure: ExposureLab, place: 'router' | 'endpoint'): Promise<string[]> {
  const known = [9, 53, 1194, CONTROL_PORT, FRAME_PORT, 20461, 20462, NAMES_PORT];
  const text = await exposure.network.netns(place, ['ss', '-H', '-n', '-l', '-t', '-u']);
  const sockets = text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [protocol, , , , local = ''] = line.split(/\s+/);
      const [, bound, port] = /^(.*):(\d+)$/.exec(local)!;
      const address = bound!.replace(/^\[(fd[0-9a-f:]+|fe80:[0-9a-f:]+\]%iot0)\]?$/, 'inner');
      return `${protocol} ${address} ${known.includes(Number(port)) ? port : '*'}`;
    });
  return [...new Set(sockets)].sort();
}

/**
 * OpenVPN faces the Internet; socat takes datagrams of this program alone; the rest is bound to addresses of the inside, or
 * to the inner netdev, or let nothing in but what devices' queries were brought there by our rules. Sockets that are connected to their one peer are none of these.
 */
const REACHABLE =
  `router: udp 0.0.0.0 *, udp 0.0.0.0 ${NAMES_PORT}, udp 127.0.0.1 20462; ` +
  'endpoint: tcp 10.214.0.1 53, tcp inner 53, udp * 1194, ' +
  `udp 10.213.0.1 ${CONTROL_PORT}, udp 10.214.0.1 53, udp 127.0.0.1 20462, udp inner 53`;

export const injectionCases: ExposureCase[] = [
  {
    name: `spoken as an end of the tunnel: ${injections.map(({ name }) => name).join('; ')}`,
    // What is written here bears an inside address on the provider's links; it is the lab's, not the home's.
    foreign: true,
    plant: async (exposure) => {
      for (const injection of injections) await inject(exposure, injection);
      return `${COUNT} of ${COUNT} dropped each, none answered`;
    },
  },
  {
    name: 'nothing else of either end can be spoken to',
    plant: async (exposure) => {
      const [router, endpoint] = await Promise.all([
        listening(exposure, 'router'),
        listening(exposure, 'endpoint'),
      ]);
      const found = `router: ${router.join(', ')}; endpoint: ${endpoint.join(', ')}`;
      if (found !== REACHABLE) throw new Error(`instead of ${REACHABLE}: ${found}`);
      return found;
    },
  },
];
