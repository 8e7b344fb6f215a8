// What can happen to the clocks behind OpenVPN, at either end.
import { setTimeout as delay } from 'node:timers/promises';
import { endpointStatus, type Fault } from './measure.ts';
import { on, type Place, suspend } from './places.ts';

function at(place: Place, name: string, ...argv: string[]): Fault {
  return { name: `${place}: second clock’s ${name}`, plant: (lab) => on(lab, place, ...argv) };
}

/** Nothing leads to the clock, and before that shows OpenVPN sends for a moment nothing, then all at once. */
const flushedAndPaused: Fault = {
  name: 'home: second clock’s chain flushed, and OpenVPN pauses',
  plant: async (lab) => {
    await on(lab, 'home', 'nft', 'flush', 'chain', 'netdev', 'iotshaper', 'out');
    await delay(500);
    await suspend(lab, 'home', 'openvpn', 400);
  },
};

/** More than OpenVPN's ring holds is lost each time, and no more of the stream than a quarter. */
const tooSlow: Fault = {
  name: 'endpoint: OpenVPN stopped for 1 s in 4, for 70 s',
  plant: async (lab) => {
    for (let time = 0; time < 17; time++) {
      await suspend(lab, 'endpoint', 'openvpn', 1000);
      await delay(3000);
    }
  },
  check: async (lab) => {
    const told = JSON.stringify(await endpointStatus(lab));
    return told.includes('homes-short')
      ? []
      : ['the endpoint does not say that homes get too little'];
  },
};

const classDeleted = (role: 'home' | 'endpoint', whose: string, id: string): Fault =>
  at(role, `class of ${whose} deleted`, 'tc', 'class', 'del', 'dev', 'iotclk0', 'classid', id);

export const clockFaults: Fault[] = [
  at('home', 'chain flushed', 'nft', 'flush', 'chain', 'netdev', 'iotshaper', 'out'),
  flushedAndPaused,
  ...(['home', 'endpoint'] as const).map((role) =>
    at(role, 'chain of spacers flushed', 'nft', 'flush', 'chain', 'netdev', 'iotshaper', 'spacers'),
  ),
  classDeleted('home', 'spacers', '2:2010'),
  at('home', 'netdevs deleted', 'ip', 'link', 'del', 'iotclk0'),
  at('home', 'queue deleted', 'tc', 'qdisc', 'del', 'dev', 'iotclk0', 'root'),
  at('endpoint', 'chain flushed', 'nft', 'flush', 'chain', 'netdev', 'iotshaper', 'out'),
  at('endpoint', 'map flushed', 'nft', 'flush', 'map', 'netdev', 'iotshaper', 'homes4'),
  at('endpoint', 'netdevs deleted', 'ip', 'link', 'del', 'iotclk0'),
  at('endpoint', 'queue deleted', 'tc', 'qdisc', 'del', 'dev', 'iotclk0', 'root'),
  classDeleted('endpoint', 'a home', '2:2'),
  classDeleted('endpoint', 'spacers', '2:2002'),
  tooSlow,
];
