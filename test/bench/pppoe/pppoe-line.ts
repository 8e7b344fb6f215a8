// A line of PPPoE between a home's router and its provider, spoken by both ends' kernels, in the place of the lab's cable.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { lab } from '../../../src/research/lab/bed/topology.ts';
import type { HomeNetwork } from '../../net/home-network.ts';

/** The router's cable to its provider; the netdev that PPPoE makes of it has the name that the lab's rules know. */
export const CABLE = 'eth1';
export const WAN = 'wan';
const LIMIT_MS = 90_000;

/** What both ends say alike: a line that is gone shows within six seconds. */
const OPTIONS = [
  ...['noauth', 'novj', 'noccp', '+ipv6', 'mtu', '1492', 'mru', '1492'],
  ...['lcp-echo-interval', '2', 'lcp-echo-failure', '3'],
];

/** What DHCPv6 would give, which is not tried here. pppd runs it at either end once IPv6 stands. */
const IPV6_UP = `#!/bin/sh
case $PPP_IFACE in
${WAN})
	ip -6 address add 2001:db8:64::2/128 dev ${WAN} nodad
	ip -6 route replace default dev ${WAN}
	;;
*)
	ip -6 address add 2001:db8:64::1/128 dev $PPP_IFACE nodad
	ip -6 route replace 2001:db8:64::2 dev $PPP_IFACE
	ip -6 route replace 2001:db8:8::/64 dev $PPP_IFACE
	;;
esac
`;

/** One line. */
export class PppoeLine {
  readonly #network: HomeNetwork;
  #pppd: ChildProcess | null = null;
  log = '';

  private constructor(network: HomeNetwork) {
    this.#network = network;
  }

  /** Puts it in the place of the cable, with the provider waiting for calls. Writes to /etc/ppp: for a guest of its own. */
  static async lay(network: HomeNetwork): Promise<PppoeLine> {
    const line = new PppoeLine(network);
    await writeFile('/etc/ppp/ipv6-up.d/lab', IPV6_UP, { mode: 0o755 });
    const options = network.path('provider.ppp');
    await writeFile(options, OPTIONS.join(' '));
    await network.netns('router', ['ip', 'link', 'set', WAN, 'down']);
    await network.netns('router', ['ip', 'link', 'set', WAN, 'name', CABLE]);
    for (const [place, netdev] of [
      ['router', CABLE],
      ['provider', 'home'],
    ] as const) {
      await network.netns(place, ['ip', 'address', 'flush', 'dev', netdev]);
      await network.netns(place, ['sysctl', '-qw', `net.ipv6.conf.${netdev}.disable_ipv6=1`]);
      await network.netns(place, ['ip', 'link', 'set', netdev, 'up']);
    }
    await network.netns('provider', [
      ...['pppoe-server', '-k', '-g', 'pppoe.so', '-I', 'home', '-O', options],
      ...['-L', '100.64.8.1', '-R', lab.homeAddress, '-N', '8'],
    ]);
    return line;
  }

  /** The router calls its provider, and again whenever the line is gone. */
  async call(): Promise<void> {
    const pppd = this.#network.start('router', [
      ...['pppd', 'plugin', 'pppoe.so', `nic-${CABLE}`, 'ifname', WAN, 'nodetach', 'defaultroute'],
      ...['persist', 'maxfail', '0', 'holdoff', '1', ...OPTIONS],
    ]);
    for (const stream of [pppd.stdout!, pppd.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log = (this.log + text).slice(-10_000);
      });
    }
    this.#pppd = pppd;
    await this.stands();
  }

  /** The router hangs up: its WAN netdev is gone. */
  async hangUp(): Promise<void> {
    const pppd = this.#pppd!;
    const gone = once(pppd, 'exit');
    pppd.kill('SIGTERM');
    await gone;
  }

  /** The provider hangs up, as many do once a day. */
  async cutOff(): Promise<void> {
    await this.#network.netns('provider', ['sh', '-c', 'kill $(cat /run/ppp[0-9]*.pid)']);
  }

  /** Waits until the router has an address of each family there. */
  async stands(): Promise<void> {
    const untilMs = performance.now() + LIMIT_MS;
    for (;;) {
      const shown = await this.#network
        .netns('router', ['ip', '-o', 'address', 'show', 'dev', WAN])
        .catch(() => '');
      if (shown.includes('inet ') && shown.includes('2001:db8:64::2')) return;
      if (performance.now() > untilMs) throw new Error(`no line: ${this.log}`);
      await delay(200); // pppd tells it no other way here
    }
  }
}
