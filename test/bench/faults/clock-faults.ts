// What can happen to the clocks behind OpenVPN, at either end.
import type { ExposureLab } from '../../net/exposure/exposure-lab.ts';
import type { Fault } from './measure.ts';

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

export const clockFaults: Fault[] = [
  atRouter('chain flushed', 'nft', 'flush', 'chain', 'netdev', 'iotshaper', 'out'),
  atRouter('netdevs deleted', 'ip', 'link', 'del', 'iotclk0'),
  atRouter('queue deleted', 'tc', 'qdisc', 'del', 'dev', 'iotclk0', 'root'),
  atEndpoint('chain flushed', 'nft', 'flush', 'chain', 'netdev', 'iotshaper', 'out'),
  atEndpoint('map flushed', 'nft', 'flush', 'map', 'netdev', 'iotshaper', 'homes4'),
  atEndpoint('netdevs deleted', 'ip', 'link', 'del', 'iotclk0'),
  atEndpoint('queue deleted', 'tc', 'qdisc', 'del', 'dev', 'iotclk0', 'root'),
  atEndpoint('class of a home deleted', 'tc', 'class', 'del', 'dev', 'iotclk0', 'classid', '2:2'),
];
