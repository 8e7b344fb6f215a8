// What was seen to expose devices, each planted in one running lab and mended again: what leaves meanwhile has to be nothing.
import { setTimeout as delay } from 'node:timers/promises';
import { lab } from '../../../src/research/lab/bed/topology.ts';
import { CLOUD, DEVICE } from '../home-network.ts';
import type { Events, ExposureLab } from './exposure-lab.ts';

export interface ExposureCase {
  name: string;
  /** Done while the provider's links are looked at; what it returns stands in the table. */
  plant(exposure: ExposureLab): Promise<string | undefined>;
  /** Undoes what was planted. */
  heal?(exposure: ExposureLab): Promise<void>;
  /** Devices use the Internet directly meanwhile, by the user's wish: only inner addresses may not show. */
  open?: boolean;
  /** Others write inside addresses on the provider's links: what is seen there is theirs. */
  foreign?: boolean;
  /** An address on the Internet that somebody who is no device speaks to. */
  allowed?: string;
  /** Leaves so much to be made anew that the suite, which asks for speed, ends with it. */
  last?: boolean;
  /** Left to the whole table: it takes long, or is one of several of its kind. */
  slow?: boolean;
}

/** How long devices go on under a fault that is not mended: some hundred packets. */
const UNDER_FAULT_MS = 900;

const tunnelNetdev = 'iotvpn0';

/** Devices talk on under the fault, then OpenVPN is replaced, which makes the netdev anew. */
function netdevFault(name: string, argv: readonly string[], slow: boolean): ExposureCase {
  return {
    name: `home: ${name}`,
    slow,
    plant: async (exposure) => {
      await exposure.router(...argv);
      await delay(UNDER_FAULT_MS);
    },
    heal: async (exposure) => {
      await exposure.kill('router', 'openvpn');
      await exposure.network.await('blocked');
      await exposure.network.await('shaping');
    },
  };
}

/** A device that is not there: rules for it, and nothing else. */
const someDevice = "config device\n\toption mac '02:00:00:00:00:99'\n\toption policy 'block'\n";

function foreignRules(file: string, table: string): ExposureCase {
  return {
    name: `${file}, and a reload`,
    plant: async (exposure) => {
      await exposure.load('router', file);
      await delay(250);
      // Whose chain comes first in a hook of the same priority follows from who was loaded last: our rules change.
      await exposure.network.configure([], [someDevice]);
      await exposure.network.reload();
      await delay(250);
      const { missing } = await exposure.network.device('echo', CLOUD, '100,3');
      return missing === 0 ? 'devices go on' : 'devices are cut off';
    },
    heal: async (exposure) => {
      await exposure.router('nft', 'delete', 'table', ...table.split(' '));
      await exposure.network.configure([]);
      await exposure.network.reload();
    },
  };
}

/** Seconds until a device's TCP connection was reset and opened anew, and its datagrams are answered again. */
async function goOn(events: Events, sinceMs: number): Promise<number> {
  await events.next('reset');
  events.forget('reset');
  await Promise.all([events.next('udp'), events.next('connected')]);
  return (performance.now() - sinceMs) / 1000;
}

export const exposureCases: ExposureCase[] = [
  {
    name: 'home: OpenVPN killed, a ping keeping a backlog',
    plant: async (exposure) => {
      await exposure.kill('router', 'openvpn');
      await exposure.network.await('blocked');
      await exposure.network.await('shaping');
    },
  },
  {
    name: 'endpoint: OpenVPN killed',
    slow: true,
    plant: async (exposure) => {
      await exposure.kill('endpoint', 'openvpn');
      await exposure.network.await('blocked');
      await exposure.network.await('shaping');
    },
  },
  netdevFault('the tunnel’s netdev down', ['ip', 'link', 'set', tunnelNetdev, 'down'], false),
  netdevFault('its address gone', ['ip', 'addr', 'flush', 'dev', tunnelNetdev], true),
  netdevFault('its route gone', ['ip', 'route', 'del', '10.213.0.0/24', 'dev', tunnelNetdev], true),
  netdevFault('it is deleted', ['ip', 'link', 'del', tunnelNetdev], true),
  foreignRules('mark-tailscale.nft', 'ip mangle'),
  foreignRules('mark-fw4.nft', 'inet fw4'),
  {
    name: 'a foreign routing rule, behind ours and then ahead of it',
    slow: true,
    plant: async (exposure) => {
      const { network } = exposure;
      const mark = `table ip mwan3 {\nchain p {\ntype filter hook prerouting priority mangle;\niifname "${lab.bridge}" meta mark set meta mark & 0xffffc0ff | 0x00000100\n}\n}\n`;
      await network.netns('router', ['nft', '-f', '-'], mark);
      await exposure.router('ip', 'route', 'add', 'default', 'via', '100.64.8.1', 'table', '1');
      const rule = ['fwmark', '0x100/0x3f00', 'lookup', '1'];
      await exposure.router('ip', 'rule', 'add', 'pref', '2001', ...rule);
      const { missing } = await network.device('echo', CLOUD, '100,3');
      if (missing !== 0) throw new Error('a rule behind ours stops devices');
      await exposure.router('ip', 'rule', 'add', 'pref', '100', ...rule);
      const { reason } = await network.await('blocked');
      return reason;
    },
    heal: async (exposure) => {
      for (const pref of ['100', '2001']) await exposure.router('ip', 'rule', 'del', 'pref', pref);
      await exposure.router('ip', 'route', 'flush', 'table', '1');
      await exposure.router('nft', 'delete', 'table', 'ip', 'mwan3');
      await exposure.network.await('shaping');
    },
  },
  {
    name: 'one packet that a rule of somebody else sends past the tunnel: stopped, counted, told',
    plant: async (exposure) => {
      const { network } = exposure;
      // Nobody who asks the kernel for a device's way gets to know of it.
      const rule = ['pref', '100', 'ipproto', '17', 'dport', '7777', 'lookup', '1'];
      await exposure.router('ip', 'route', 'add', 'default', 'via', '100.64.8.1', 'table', '1');
      await exposure.router('ip', 'rule', 'add', ...rule);
      const send = ['socat', '-u', '-', `UDP:${CLOUD}:7777,bind=${DEVICE}`];
      await network.netns('devices', send, 'one');
      const { reason } = await network.await('blocked');
      if (!reason.includes('sends devices past the tunnel')) throw new Error(reason);
      return reason;
    },
    heal: async (exposure) => {
      await exposure.router('ip', 'rule', 'del', 'pref', '100');
      await exposure.router('ip', 'route', 'flush', 'table', '1');
      await exposure.network.await('shaping');
    },
  },
  {
    name: 'a port leaves the bridge for two seconds',
    plant: async (exposure) => {
      await exposure.router('ip', 'link', 'set', 'p1', 'nomaster');
      await delay(2000);
    },
    heal: async (exposure) => {
      await exposure.router('ip', 'link', 'set', 'p1', 'master', lab.bridge);
    },
  },
  {
    name: 'the network is restarted',
    plant: async (exposure) => {
      const bridge = ['dev', lab.bridge];
      await exposure.router('ip', 'link', 'set', lab.bridge, 'down');
      await exposure.router('ip', 'addr', 'flush', ...bridge);
      for (const port of ['p1', 'p2']) await exposure.router('ip', 'link', 'set', port, 'nomaster');
      await delay(300);
      for (const port of ['p1', 'p2']) {
        await exposure.router('ip', 'link', 'set', port, 'master', lab.bridge);
      }
      await exposure.router('ip', 'link', 'set', lab.bridge, 'up');
      await exposure.router('ip', 'addr', 'add', `${lab.lanAddress}/24`, ...bridge);
      await exposure.router('ip', '-6', 'addr', 'add', '2001:db8:8::1/64', ...bridge, 'nodad');
      await delay(300);
    },
  },
  {
    name: 'a stop, while flows go on',
    plant: async (exposure) => {
      // Devices speak to the Internet directly then: what may not show is an inner address.
      const flow = exposure.network.startDevice('flow');
      const events = exposure.events(flow);
      await events.next('connected');
      await events.next('udp');
      const stoppedMs = performance.now();
      events.forget();
      await exposure.network.stop('home');
      const seconds = await goOn(events, stoppedMs);
      flow.kill('SIGKILL');
      if (seconds > 20) throw new Error(`flows went on only after ${seconds.toFixed(1)} s`);
      return `flows go on after ${seconds.toFixed(1)} s`;
    },
    heal: async (exposure) => {
      exposure.network.startHome();
      await exposure.network.await('shaping');
    },
    open: true,
    last: true,
  },
  {
    name: 'endpoint: a stop, while the Internet goes on answering',
    slow: true,
    plant: async (exposure) => {
      const { network } = exposure;
      // As Docker leaves a server: it forwards, and translates addresses whether the endpoint runs or not.
      const nat =
        'table ip docker {\nchain post {\ntype nat hook postrouting priority srcnat;\n}\n}\n';
      await network.netns('endpoint', ['nft', '-f', '-'], nat);
      const stream = 'while sleep 0.02; do echo on; done';
      network.start('cloud', ['socat', `UDP-RECVFROM:9900,bind=${CLOUD},fork`, `SYSTEM:${stream}`]);
      const ask = `UDP:${CLOUD}:9900,bind=${DEVICE}`;
      const device = network.start('devices', ['socat', '-T', '60', '-', ask]);
      const heard = new Promise<void>((done) => device.stdout!.once('data', () => done()));
      device.stdin!.write('go\n');
      await heard;
      await network.stop('endpoint');
      await network.netns('endpoint', ['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
      await delay(UNDER_FAULT_MS);
      device.kill('SIGKILL');
    },
    heal: async (exposure) => {
      await exposure.network.netns('endpoint', ['nft', 'delete', 'table', 'ip', 'docker']);
      exposure.network.startEndpoint();
      await exposure.network.await('shaping');
    },
  },
  {
    name: 'shape → bypass, while flows go on',
    plant: async (exposure) => {
      const flow = exposure.network.startDevice('flow');
      const events = exposure.events(flow);
      await events.next('connected');
      await events.next('udp');
      const [device] = exposure.network.topology.devices;
      await exposure.network.configure(
        [],
        [`config device\n\toption mac '${device!.mac}'\n\toption policy 'bypass'\n`],
      );
      const changedMs = performance.now();
      events.forget();
      await exposure.network.reload();
      const seconds = await goOn(events, changedMs);
      flow.kill('SIGKILL');
      if (seconds > 20) throw new Error(`flows went on only after ${seconds.toFixed(1)} s`);
      return `flows go on after ${seconds.toFixed(1)} s`;
    },
    heal: async (exposure) => {
      await exposure.network.configure([]);
      await exposure.network.reload();
      // What the provider still sends to the device of before is not the device's.
      await exposure.network.device('echo', CLOUD, '100,3');
    },
    open: true,
  },
];
