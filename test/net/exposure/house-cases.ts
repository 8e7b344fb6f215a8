// Devices chosen one by one, what lives beside them, and a house that changes: what leaves meanwhile has to be nothing.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { lab } from '../../../src/research/lab/bed/topology.ts';
import { encodeQuestion } from '../../../src/research/lab/traffic/dns.ts';
import { run } from '../../../src/shell/system/node/processes.ts';
import { CLOUD, CLOUD6, DEVICE, DEVICE6 } from '../home-network.ts';
import { eventually } from '../support.ts';
import type { ExposureCase } from './cases.ts';
import { type ExposureLab, HUB_ADDRESS, HUB_NAME } from './exposure-lab.ts';

/** Somewhere on the lab's Internet that the device which never stops talking does not speak to. */
const ELSEWHERE = '192.88.99.100';
/** The routing table of the first device (see the lab's topology). */
const TABLE = '101';
const RESOLVER = `${lab.lanPrefix}53`;
const HUB = '2001:db8:81::20';
const ULA = 'fd00:8::11';
const DELEGATED = '2001:db8:9::11';

function device(exposure: ExposureLab, index = 0) {
  return exposure.network.topology.devices[index]!;
}

function chosen(exposure: ExposureLab, index = 0, policy = 'shape'): string {
  return `config device\n\toption mac '${device(exposure, index).mac}'\n\toption policy '${policy}'\n`;
}

/** Puts a configuration without a network in force. */
async function choose(exposure: ExposureLab, ...sections: string[]): Promise<void> {
  await exposure.network.configure([], sections, []);
  await exposure.network.reread();
}

/** The lab's usual configuration. */
async function restore({ network }: ExposureLab): Promise<void> {
  await network.configure([]);
  await network.reread();
}

/** Gives the first device another address by which it speaks to the Internet. */
async function addAddress({ network }: ExposureLab, address: string): Promise<void> {
  const [family, length] = address.includes(':') ? ['-6', 64] : ['-4', 24];
  const nodad = family === '-6' ? ['nodad'] : [];
  const add = ['addr', 'add', `${address}/${length}`, 'dev', 'd1', 'noprefixroute', ...nodad];
  await network.netns('devices', ['ip', family, ...add]);
  await network.netns('devices', ['ip', family, 'rule', 'add', 'from', address, 'lookup', TABLE]);
}

async function removeAddress({ network }: ExposureLab, address: string): Promise<void> {
  const [family, length] = address.includes(':') ? ['-6', 64] : ['-4', 24];
  await network.netns('devices', ['ip', family, 'rule', 'del', 'from', address]);
  const words = ['addr', 'del', `${address}/${length}`, 'dev', 'd1'];
  await network.netns('devices', ['ip', family, ...words]);
}

/**
 * Pings from an address or netdev of a device's until one is answered: the first of a new address may be held for a look.
 *
 * @throws Error when none is.
 */
async function ping({ network }: ExposureLab, from: string, to: string): Promise<void> {
  const words = ['-n', '-q', '-c', '1', '-i', '0.1', '-w', '4', '-I', from, to];
  await network.netns('devices', ['ping', ...words]).catch(() => {
    throw new Error(`no answer to ${from} from ${to}`);
  });
}

async function answered(
  exec: (argv: string[]) => Promise<unknown>,
  from: string,
  to: string,
  wait = '2',
): Promise<void> {
  const family = to.includes(':') ? '-6' : '-4';
  const words = ['-n', '-q', '-c', '4', '-i', '0.05', '-W', wait, '-I', from, to];
  await exec(['ping', family, ...words]).catch(() => {
    throw new Error(`no answer to ${from} from ${to}`);
  });
}

/** A name asked for past everything, as a resolver does that lives beside the devices. */
async function lookUp({ network }: ExposureLab): Promise<void> {
  const question = encodeQuestion({ id: 7, name: 'camera.example', type: 'A' }).toString();
  const to = `UDP4:${lab.dnsAddress}:53,bind=${RESOLVER}`;
  const answer = await network.netns('devices', ['socat', '-t', '0.5', '-', to], question);
  if (answer === '') throw new Error('the resolver was not answered');
}

/** Waits until `status` says this in its sentence, its warnings or of what is not the house; resolves with the seconds that took. */
async function told({ network }: ExposureLab, what: RegExp): Promise<number> {
  const sinceMs = performance.now();
  for (;;) {
    const status = await network.status();
    const doubts = (status?.not_house ?? []).map(({ why }) => why);
    const words = [status?.reason ?? '', ...(status?.config.warnings ?? []), ...doubts].join('\n');
    const seconds = (performance.now() - sinceMs) / 1000;
    if (what.test(words)) return seconds;
    if (seconds > 60) throw new Error(`not said in ${seconds.toFixed(0)} s: ${what}\n${words}`);
    await delay(100); // the service is asked anew: it tells no other way here
  }
}

/** Names the bridge anew, as a changed network configuration does. */
async function rename(exposure: ExposureLab, from: string, to: string): Promise<void> {
  for (const words of [
    ['link', 'set', from, 'down'],
    ['link', 'set', from, 'name', to],
    ['link', 'set', to, 'up'],
    ['-6', 'addr', 'add', '2001:db8:8::1/64', 'dev', to, 'nodad'],
  ]) {
    await exposure.router('ip', ...words);
  }
}

/** What a device is answered that asks its router for a name: the message in hexadecimal; '' for no answer. */
async function ask({ network }: ExposureLab, name: string): Promise<string> {
  const { answer } = await network.device('name', lab.lanAddress, name);
  return String(answer);
}

/** What came of a name: its answer code and address, from the message. */
function answerIn(message: string): { code: number; address: string } {
  const bytes = Buffer.from(message, 'hex');
  return { code: bytes[3]! & 0x0f, address: bytes.subarray(-4).join('.') };
}

export const houseCases: ExposureCase[] = [
  {
    name: 'a name of the house is answered in the house, known or not, and asked of nobody',
    plant: async (exposure) => {
      const { network } = exposure;
      const stop = await network.capture('names-vps.pcap', 'vps');
      const found = answerIn(await ask(exposure, HUB_NAME));
      const missing = answerIn(await ask(exposure, 'nobody.lan'));
      // The endpoint's resolver is asked for all others, and asks on.
      await eventually('the answer for a name of the Internet', async () => {
        return answerIn(await ask(exposure, 'cloud.example')).address === CLOUD;
      });
      const seen = await readFile(await stop());
      if (found.code !== 0 || found.address !== HUB_ADDRESS) {
        throw new Error(`${HUB_NAME}: answer ${found.code}, ${found.address}`);
      }
      if (missing.code !== 3) throw new Error(`nobody.lan: answer ${missing.code}`);
      const asked = ['homeassistant', 'nobody', 'cloud'].filter((label) => seen.includes(label));
      if (asked.join() !== 'cloud') throw new Error(`asked on the Internet: ${asked.join()}`);
      return `${HUB_NAME} is ${found.address}`;
    },
  },
  {
    name: 'ntp-hijack.txt: the router answers for the time and for itself, and what goes to its proxy is told',
    plant: async (exposure) => {
      const { network } = exposure;
      await exposure.load('router', 'ntp-hijack.nft');
      // Time by a redirect, and a service of the router's own at its own address.
      const server = (port: number) =>
        network.start('router', ['socat', `UDP4-RECVFROM:${port},fork`, 'SYSTEM:echo home']);
      const servers = [server(123), server(8123)];
      try {
        for (const to of [`${CLOUD}:123`, `${lab.lanAddress}:123`, `${lab.lanAddress}:8123`]) {
          const words = ['socat', '-t', '0.5', '-', `UDP4:${to},bind=${DEVICE}`];
          await eventually(`an answer of the router to ${to}`, async () => {
            // Refused, as long as the server is not there yet.
            const answer = await network.netns('devices', words, 'time?').catch(() => '');
            return answer.trim() === 'home';
          });
        }
      } finally {
        for (const one of servers) one.kill('SIGTERM');
      }
      const proxied = ['socat', '-t', '0', '-', `UDP4:${CLOUD}:853,bind=${DEVICE}`];
      await network.netns('devices', proxied, 'name?').catch(() => '');
      await network.warned(/on port 853 to a program of the router, .* so it is dropped;/);
      return 'a redirect of names to a proxy is told';
    },
    heal: async (exposure) => {
      await exposure.router('nft', 'delete', 'table', 'inet', 'ntph');
    },
  },
  {
    name: 'IPv6 of a device chosen by its MAC, out of three prefixes',
    plant: async (exposure) => {
      await choose(exposure, chosen(exposure));
      await exposure.router('ip', '-6', 'addr', 'add', 'fd00:8::1/64', 'dev', lab.bridge, 'nodad');
      await exposure.router('ip', '-6', 'route', 'add', '2001:db8:9::/64', 'via', DEVICE6);
      const back = ['route', 'add', '2001:db8:9::/64', 'via', '2001:db8:64::2'];
      await exposure.network.netns('provider', ['ip', '-6', ...back]);
      await addAddress(exposure, ULA);
      await addAddress(exposure, DELEGATED);
      for (const from of [DEVICE6, ULA, DELEGATED]) await ping(exposure, from, CLOUD6);
      await ping(exposure, 'd1', 'ff02::2');
      return 'all three answered through the tunnel, the router by its link-local address';
    },
    heal: async (exposure) => {
      await removeAddress(exposure, ULA);
      await removeAddress(exposure, DELEGATED);
      await exposure.network.netns('provider', ['ip', '-6', 'route', 'del', '2001:db8:9::/64']);
      await exposure.router('ip', '-6', 'route', 'del', '2001:db8:9::/64');
      await exposure.router('ip', '-6', 'addr', 'del', 'fd00:8::1/64', 'dev', lab.bridge);
      await restore(exposure);
    },
  },
  {
    name: 'gua-hub.txt: a hub in another network of the house, both ways by global IPv6',
    plant: async (exposure) => {
      const { names } = exposure.network.topology;
      const hub = `${names.devices}-hub`;
      await run(['ip', 'netns', 'add', hub]);
      const ip = (netns: string, ...words: string[]) => run(['ip', '-n', netns, ...words]);
      const pair = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', hub];
      await ip(names.router, 'link', 'add', 'lan1', ...pair);
      await ip(names.router, 'addr', 'add', '192.168.1.1/24', 'dev', 'lan1');
      await ip(names.router, '-6', 'addr', 'add', '2001:db8:81::1/64', 'dev', 'lan1', 'nodad');
      const atOnce = (netdev: string) => ['sysctl', '-qw', `net.ipv6.conf.${netdev}.accept_dad=0`];
      await run(atOnce('lan1'), { netns: names.router });
      await run(atOnce('eth0'), { netns: hub });
      await ip(names.router, 'link', 'set', 'lan1', 'up');
      await ip(hub, '-6', 'addr', 'add', `${HUB}/64`, 'dev', 'eth0', 'nodad');
      await ip(hub, 'link', 'set', 'eth0', 'up');
      await ip(hub, '-6', 'route', 'add', 'default', 'via', '2001:db8:81::1');
      await exposure.network.reread();
      await ping(exposure, DEVICE6, HUB);
      await answered((argv) => run(argv, { netns: hub }), HUB, DEVICE6);
      return 'answered both ways';
    },
    heal: async (exposure) => {
      const { devices } = exposure.network.topology.names;
      await run(['ip', 'netns', 'delete', `${devices}-hub`]);
    },
  },
  {
    name: 'tap-house.txt: a tap of another VPN is none of the house',
    plant: async (exposure) => {
      await exposure.router('ip', 'tuntap', 'add', 'dev', 'tap7', 'mode', 'tap');
      // So that nothing but what is sent there is carried.
      await exposure.router('sysctl', '-q', '-w', 'net.ipv6.conf.tap7.disable_ipv6=1');
      const tap = 'TUN:10.147.17.1/24,tun-name=tap7,tun-type=tap,iff-no-pi,iff-up';
      exposure.network.start('router', ['socat', tap, `UDP4:${ELSEWHERE}:9993,bind=:9993`]);
      const seconds = await told(
        exposure,
        /^tap7 \(tap\) may lead out of your home, as a VPN does/m,
      );
      const exec = (argv: string[]) => exposure.network.netns('devices', argv);
      const reached = await answered(exec, DEVICE, '10.147.17.2', '0.2').then(
        () => true,
        () => false,
      );
      if (reached) throw new Error('the far end of a tap was reached');
      return `told after ${seconds.toFixed(1)} s`;
    },
    heal: async (exposure) => {
      await exposure.router('ip', 'link', 'del', 'tap7');
    },
  },
  {
    name: 'pihole-lan.txt: a resolver beside a device chosen by its MAC is told of',
    plant: async (exposure) => {
      await choose(exposure, chosen(exposure));
      const { network } = exposure;
      const netdev = device(exposure, 1).netdev;
      const add = ['addr', 'add', `${RESOLVER}/24`, 'dev', netdev, 'noprefixroute'];
      await network.netns('devices', ['ip', ...add]);
      await network.netns('devices', ['ip', 'rule', 'add', 'from', RESOLVER, 'lookup', '102']);
      await lookUp(exposure);
      const seconds = await told(exposure, /asks the Internet for names past the tunnel/);
      await told(exposure, /It can't tell .*for names, your provider sees/);
      return `told after ${seconds.toFixed(1)} s`;
    },
    allowed: lab.dnsAddress,
  },
  {
    name: 'pihole-lan.txt: once it is chosen, too, as it was told, its names are hidden',
    plant: async (exposure) => {
      await choose(exposure, chosen(exposure), chosen(exposure, 1));
      await lookUp(exposure);
      // Its sentence is the first line, and made anew once a second.
      const seconds = await told(exposure, /^(?!.*for names).*It can't tell/);
      return `no longer told after ${seconds.toFixed(1)} s`;
    },
    heal: async (exposure) => {
      const { network } = exposure;
      const netdev = device(exposure, 1).netdev;
      await network.netns('devices', ['ip', 'rule', 'del', 'from', RESOLVER]);
      await network.netns('devices', ['ip', 'addr', 'del', `${RESOLVER}/24`, 'dev', netdev]);
      await restore(exposure);
    },
  },
  {
    name: 'device-by-ip.uci: a device chosen by its address gets another one',
    plant: async (exposure) => {
      await choose(exposure, `config device\n\tlist ip '${DEVICE}'\n`);
      await addAddress(exposure, `${lab.lanPrefix}50`);
      await ping(exposure, `${lab.lanPrefix}50`, CLOUD);
      return undefined;
    },
    heal: async (exposure) => {
      await removeAddress(exposure, `${lab.lanPrefix}50`);
      await restore(exposure);
    },
  },
  {
    name: 'device-by-ip.uci: a device chosen by its MAC changes it',
    plant: async (exposure) => {
      const { network } = exposure;
      await choose(exposure, chosen(exposure));
      // It tells the others, as a device does that comes up again.
      const tell = ['net.ipv4.conf.d1.arp_notify=1', 'net.ipv6.conf.d1.ndisc_notify=1'];
      await network.netns('devices', ['sysctl', '-qw', ...tell]);
      const anew = ['ip', 'link', 'set', 'd1', 'address', 'da:a1:19:12:34:56'];
      await network.netns('devices', anew);
      for (const [from, to] of [
        [DEVICE, CLOUD],
        [DEVICE6, CLOUD6],
      ]) {
        await ping(exposure, from!, to!);
      }
      return undefined;
    },
    heal: async (exposure) => {
      const before = ['ip', 'link', 'set', 'd1', 'address', device(exposure).mac];
      await exposure.network.netns('devices', before);
      await restore(exposure);
    },
  },
  {
    name: 'network-gone.uci: the devices’ bridge is named anew, and a reload',
    plant: async (exposure) => {
      const { network } = exposure;
      await rename(exposure, lab.bridge, 'br-lan.20');
      await network.reread();
      const { reason } = await network.await('blocked');
      await told(exposure, /iotshaper\.@network\[0\]\.device: "br-iot" is no network device now/);
      await rename(exposure, 'br-lan.20', lab.bridge);
      await network.await('shaping');
      return reason;
    },
  },
  {
    name: 'network-gone.uci: the service is killed and starts without the bridge',
    slow: true,
    plant: async (exposure) => {
      const { network } = exposure;
      await rename(exposure, lab.bridge, 'br-lan.20');
      await network.stop('home', 'SIGKILL');
      network.startHome();
      await told(exposure, /no network device now.*cut off so that nothing leaks/);
      await ping(exposure, DEVICE, CLOUD).then(
        () => Promise.reject(new Error('a device was not held back')),
        () => {},
      );
      await rename(exposure, 'br-lan.20', lab.bridge);
      await network.await('shaping');
      return undefined;
    },
  },
  {
    name: 'device-by-ip.uci: the service is killed and starts while the device has another address',
    slow: true,
    plant: async (exposure) => {
      const { network } = exposure;
      const address = `${lab.lanPrefix}50`;
      await choose(exposure, `config device\n\tlist ip '${DEVICE}'\n`);
      await addAddress(exposure, address);
      network.start('devices', [
        'ping',
        '-n',
        '-q',
        '-c',
        '400',
        '-i',
        '0.01',
        '-I',
        address,
        CLOUD,
      ]);
      await network.stop('home', 'SIGKILL');
      network.startHome();
      await network.await('shaping');
      await ping(exposure, address, CLOUD);
      return undefined;
    },
    heal: async (exposure) => {
      await removeAddress(exposure, `${lab.lanPrefix}50`);
      await restore(exposure);
    },
  },
  {
    name: 'bypass-device-in-a-network.conf: the bypassed device is answered',
    plant: async (exposure) => {
      const { network } = exposure;
      await network.configure([], [chosen(exposure, 1, 'bypass')]);
      await network.reread();
      await ping(exposure, device(exposure, 1).ip, ELSEWHERE);
      return undefined;
    },
    heal: restore,
    allowed: ELSEWHERE,
  },
  {
    name: 'killswitch 0: devices go on directly while the tunnel is down',
    slow: true,
    plant: async (exposure) => {
      const { network } = exposure;
      await network.configure(["option killswitch '0'"]);
      await network.reread();
      const { devices } = await exposure.watch(async () => {
        for (const pid of await exposure.pids('router', 'openvpn')) process.kill(pid, 'SIGUSR1');
        await network.await('blocked');
        await ping(exposure, device(exposure, 1).ip, ELSEWHERE);
      });
      if (devices.length === 0) throw new Error('devices were cut off');
      await restore(exposure);
      await network.await('shaping');
      return undefined;
    },
    open: true,
  },
];
