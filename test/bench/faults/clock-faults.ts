// What can happen to the clocks behind OpenVPN, at either end.
import { setTimeout as delay } from 'node:timers/promises';
import type { ExposureLab } from '../../net/exposure/exposure-lab.ts';
import { endpointStatus, type Fault } from './measure.ts';

function atRouter(name: string, ...argv: string[]): Fault {
  return {
    name: `home: second clock’s ${name}`,
    plant: ({ network }: ExposureLab) => network.netns('router', argv),
  };
}

function atEndpoint(name: string, ...argv: string[]): Fault {
  return {
    name: `endpoint: second clock’s ${name}`,
    plant: ({ network }: ExposureLab) => network.netns('endpoint', argv),
  };
}

/** Nothing leads to the clock, and before that shows OpenVPN sends for a moment nothing, then all at once. */
const flushedAndPaused: Fault = {
  name: 'home: second clock’s chain flushed, and OpenVPN pauses',
  plant: async (lab) => {
    await lab.network.netns('router', ['nft', 'flush', 'chain', 'netdev', 'iotshaper', 'out']);
    await delay(500);
    const pids = await lab.pids('router', 'openvpn');
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await delay(400);
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  },
};

/** More than OpenVPN's ring holds is lost each time, and no more of the stream than a quarter. */
const tooSlow: Fault = {
  name: 'endpoint: OpenVPN stopped for 1 s in 4, for 70 s',
  plant: async (lab) => {
    for (let time = 0; time < 17; time++) {
      const pids = await lab.pids('endpoint', 'openvpn');
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      await delay(1000);
      for (const pid of pids) process.kill(pid, 'SIGCONT');
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

export const clockFaults: Fault[] = [
  atRouter('chain flushed', 'nft', 'flush', 'chain', 'netdev', 'iotshaper', 'out'),
  flushedAndPaused,
  atRouter('netdevs deleted', 'ip', 'link', 'del', 'iotclk0'),
  atRouter('queue deleted', 'tc', 'qdisc', 'del', 'dev', 'iotclk0', 'root'),
  atEndpoint('chain flushed', 'nft', 'flush', 'chain', 'netdev', 'iotshaper', 'out'),
  atEndpoint('map flushed', 'nft', 'flush', 'map', 'netdev', 'iotshaper', 'homes4'),
  atEndpoint('netdevs deleted', 'ip', 'link', 'del', 'iotclk0'),
  atEndpoint('queue deleted', 'tc', 'qdisc', 'del', 'dev', 'iotclk0', 'root'),
  atEndpoint('class of a home deleted', 'tc', 'class', 'del', 'dev', 'iotclk0', 'classid', '2:2'),
  tooSlow,
];
