// What is done to a home behind PPPoE while its devices talk.
import { setTimeout as delay } from 'node:timers/promises';
import type { HomeNetwork } from '../../net/home-network.ts';
import { CABLE, type PppoeLine, WAN } from './pppoe-line.ts';

/** Where it is done. */
export interface Home {
  network: HomeNetwork;
  line: PppoeLine;
}

export interface Case {
  name: string;
  /** Before anything is looked at. */
  prepare?(home: Home): Promise<unknown>;
  /** While it is. */
  plant(home: Home, seconds: number): Promise<unknown>;
  /** Whether packets are expected all the while; else that all comes again by itself. */
  isSteady: boolean;
}

async function router({ network }: Home, ...lines: string[]): Promise<void> {
  for (const line of lines) await network.netns('router', line.split(' '));
}

const watch = (_: Home, seconds: number): Promise<unknown> => delay(1000 * seconds);

/** SQM's queues: cake on the way out, and on the way in by an ifb, as its piece_of_cake.qos makes them. */
async function shapeBySqm(home: Home): Promise<void> {
  await stopSqm(home);
  await router(
    home,
    `tc qdisc replace dev ${WAN} root cake bandwidth 4mbit`,
    `tc qdisc add dev ${WAN} handle ffff: ingress`,
    'ip link add ifb4wan type ifb',
    'ip link set ifb4wan up',
    `tc filter add dev ${WAN} parent ffff: protocol all matchall action mirred egress redirect dev ifb4wan`,
    'tc qdisc replace dev ifb4wan root cake bandwidth 20mbit ingress',
  );
}

/** A WAN that was made anew has no queues of it any more, and the ifb is left. */
async function stopSqm(home: Home): Promise<void> {
  for (const line of [
    `tc qdisc del dev ${WAN} root`,
    `tc qdisc del dev ${WAN} ingress`,
    'ip link del ifb4wan',
  ]) {
    await router(home, line).catch(() => {});
  }
}

/** Changed, then taken away and made again. */
async function restartSqm(home: Home, seconds: number): Promise<void> {
  const untilMs = performance.now() + 1000 * seconds;
  while (performance.now() < untilMs) {
    await router(home, `tc qdisc replace dev ${WAN} root cake bandwidth 3mbit`);
    await delay(1500);
    await router(home, `tc qdisc replace dev ${WAN} root cake bandwidth 4mbit`);
    await delay(1500);
    await shapeBySqm(home);
    await delay(1500);
  }
}

async function otherQueues(home: Home, seconds: number): Promise<void> {
  for (const queue of ['fq_codel', 'fq', 'fq_codel', 'fq']) {
    await router(home, `tc qdisc replace dev ${WAN} root ${queue}`);
    await delay((1000 * seconds) / 4);
  }
}

const FLOWTABLE = `table inet fw {
	flowtable ft {
		hook ingress priority 0;
		devices = { "p1", "${CABLE}", "${WAN}" };
	}

	chain forward {
		type filter hook forward priority 0; policy accept;
		meta l4proto { tcp, udp } flow add @ft
	}
}
`;

async function loseCarrier({ network }: Home): Promise<void> {
  await network.netns('provider', ['ip', 'link', 'set', 'home', 'down']);
  await delay(10_000);
  await network.netns('provider', ['ip', 'link', 'set', 'home', 'up']);
}

/** In this order in one life of the home. */
export const cases: readonly Case[] = [
  { name: 'nothing', plant: watch, isSteady: true },
  {
    name: 'cake on the WAN, changed and made again all the time',
    prepare: shapeBySqm,
    plant: restartSqm,
    isSteady: true,
  },
  {
    name: 'fq_codel and fq in its place',
    prepare: stopSqm,
    plant: otherQueues,
    isSteady: true,
  },
  {
    name: 'flow offload on LAN and WAN',
    prepare: ({ network }) => network.netns('router', ['nft', '-f', '-'], FLOWTABLE),
    plant: watch,
    isSteady: true,
  },
  {
    name: 'the router hangs up and calls again',
    async plant({ line }) {
      await line.hangUp();
      await line.call();
    },
    isSteady: false,
  },
  { name: 'all well again', prepare: shapeBySqm, plant: restartSqm, isSteady: true },
  {
    name: 'the provider hangs up',
    async plant({ line }) {
      await line.cutOff();
      await delay(1000);
      await line.stands();
    },
    isSteady: false,
  },
  { name: 'all well again', plant: watch, isSteady: true },
  { name: 'the cable is without a carrier for ten seconds', plant: loseCarrier, isSteady: false },
  { name: 'all well again', plant: watch, isSteady: true },
];
