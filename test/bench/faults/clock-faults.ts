// What can happen to the clock behind the home's OpenVPN.
import type { ExposureLab } from '../../net/exposure/exposure-lab.ts';
import type { Fault } from './measure.ts';

function atRouter(name: string, ...argv: string[]): Fault {
  return {
    name: `home: second clock’s ${name}`,
    plant: ({ network }: ExposureLab) => network.netns('router', argv),
  };
}

export const clockFaults: Fault[] = [
  atRouter('chain flushed', 'nft', 'flush', 'chain', 'netdev', 'iotshaper', 'out'),
  atRouter('netdevs deleted', 'ip', 'link', 'del', 'iotclk0'),
  atRouter('queue deleted', 'tc', 'qdisc', 'del', 'dev', 'iotclk0', 'root'),
];
