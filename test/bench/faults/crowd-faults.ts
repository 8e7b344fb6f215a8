// Faults that devices bring: very many at once, and one that begins connections from addresses that are not its own.
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lab as addresses } from '../../../src/research/lab/bed/topology.ts';
import type { ExposureLab } from '../../net/exposure/exposure-lab.ts';
import { CLOUD } from '../../net/home-network.ts';
import type { Fault } from './measure.ts';

const PROGRAMS = 'build/test/net/programs';
const CROWD = 500;
/** A network of their own on the same bridge. */
const CROWD_PREFIX = '172.20';
const CROWD_EVERY_MS = '2000';
const CROWD_MS = 30_000;
const FLOOD_MS = 20_000;
const SYNS_PER_S = '2000';
/** The device that floods, by its place in the lab. */
const FLOODER = 2;

const running = new WeakMap<ExposureLab, ChildProcess[]>();

async function end(lab: ExposureLab): Promise<void> {
  for (const child of running.get(lab) ?? []) {
    child.kill('SIGTERM');
  }
  running.delete(lab);
}

function start(lab: ExposureLab, argv: readonly string[]): ChildProcess {
  const child = lab.network.start('devices', argv);
  running.set(lab, [...(running.get(lab) ?? []), child]);
  return child;
}

/** Gives the bridge a second network, and the crowd its addresses there. */
async function makeRoom({ network }: ExposureLab): Promise<void> {
  const gateway = `${CROWD_PREFIX}.255.1`;
  await network.netns('router', [
    ...['ip', 'address', 'replace', `${gateway}/16`, 'dev', addresses.bridge],
  ]);
  const hosts = Array.from({ length: CROWD }, (_, index) => index);
  const own = (index: number) => `${CROWD_PREFIX}.${Math.floor(index / 250)}.${(index % 250) + 2}`;
  const lines = [
    ...hosts.map((index) => `address replace ${own(index)}/16 dev d4 noprefixroute`),
    `route replace ${CROWD_PREFIX}.0.0/16 dev d4 table 150`,
    `route replace default via ${gateway} dev d4 table 150`,
  ];
  await network.netns('devices', ['ip', '-batch', '-'], `${lines.join('\n')}\n`);
  await network
    .netns('devices', ['ip', 'rule', 'add', 'from', `${CROWD_PREFIX}.0.0/16`, 'lookup', '150'])
    .catch(() => {}); // there from the last time
}

async function flood(lab: ExposureLab): Promise<void> {
  const { network } = lab;
  const device = network.topology.devices[FLOODER]!;
  const path = `/sys/class/net/${addresses.bridge}/address`;
  const mac = (await network.netns('router', ['cat', path])).trim();
  const words = [device.netdev, device.mac, mac, CLOUD, SYNS_PER_S];
  start(lab, [process.execPath, join(PROGRAMS, 'syn-flood.js'), ...words]);
  await delay(FLOOD_MS);
}

export const crowdFaults: Fault[] = [
  {
    name: 'devices: 500 at once',
    plant: async (lab) => {
      await makeRoom(lab);
      const words = [CROWD_PREFIX, `${CROWD}`, CLOUD, CROWD_EVERY_MS];
      start(lab, [process.execPath, join(PROGRAMS, 'crowd.js'), ...words]);
      await delay(CROWD_MS);
    },
    leastAnswered: 0.9,
    undo: end,
  },
  {
    name: 'devices: one begins 2000 connections a second from addresses not its own',
    plant: flood,
    leastAnswered: 0.9,
    undo: end,
  },
];
