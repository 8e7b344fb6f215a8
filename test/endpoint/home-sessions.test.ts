// Connected homes: whose a packet is, what the status tells of them, and what the log does.
import test from 'ava';
import type { Hello } from '../../src/core/control/message.ts';
import { notice } from '../../src/core/notices/notice.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { renderEndpointStatus } from '../../src/shell/endpoint/endpoint-status.ts';
import { HomeSessions } from '../../src/shell/endpoint/home-sessions.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import type { System, UdpSocket } from '../../src/shell/system/system.ts';
import { buildIpv4 } from '../framing/ip-packets.ts';

const shape: Shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 };
const hello: Hello = {
  kind: 'hello',
  homeNonce: '',
  endpointNonce: '',
  sequence: 1,
  version: '0.1.0',
  download: shape,
  maxDelayMs: 5000,
};
const identity = {
  host: 'vps.example.org',
  port: 1194,
  tunnelNet: '10.213.0',
  innerNet: '10.214',
  innerNet6: 'fd12:3456:789a',
};
const homes = [2, 3].map((host) => ({
  name: `home${host}`,
  host,
  fingerprint: '',
  controlKey: '',
}));

const silentSocket: UdpSocket = {
  send: () => {},
  sendTo: () => {},
  setSendBuffer: () => {},
  sendBufferBytes: () => 0,
  close: () => {},
};

/** Sessions of the homes of these hosts, on a clock that stands still. */
async function connected(...hosts: number[]) {
  const logged: string[] = [];
  const system: System = {
    ...nodeSystem,
    clock: { monotonicMs: () => 1000, unixMs: () => 0 },
    sockets: { ...nodeSystem.sockets, openUdp: async () => silentSocket },
  };
  const sessions = new HomeSessions({
    system,
    log: (_level, text) => logged.push(text),
    local: '10.213.0.1',
    onPacket: () => {},
  });
  for (const home of homes.filter(({ host }) => hosts.includes(host))) {
    await sessions.connect(home, hello, `10.213.0.${home.host}`, {
      prefix4: `10.214.${home.host}.0/24`,
      prefix6: null,
      resolver4: '10.214.0.1',
      resolver6: null,
    });
  }
  const status = () =>
    renderEndpointStatus(
      { identity, isUp: true, fault: null, since: 5, ipv6: false, homes, sessions },
      1250,
    );
  return { sessions, logged, status };
}

const to = (host: number) => buildIpv4([192, 0, 2, 1], [10, 214, host, 7], Buffer.alloc(100));

test('a packet waits with the home that it is for, and nobody’s waits nowhere', async (t) => {
  const { sessions, status } = await connected(2, 3);
  t.teardown(() => sessions.close());
  for (const host of [3, 3, 4]) sessions.enqueue(to(host));
  t.deepEqual(
    sessions.all().map((session) => session.report(1250).queuePackets),
    [0, 2],
  );
  t.like(status(), {
    reason: 'Serving 2 of 2 homes.',
    homes: [
      { name: 'home2', queue_packets: 0 },
      { name: 'home3', queue_packets: 2, queue_ms: 250, download_kBps: 40, packet_size: 512 },
    ],
  });
});

test('a home that is not connected has no figures; coming and going is logged once', async (t) => {
  const { sessions, logged, status } = await connected(2);
  t.teardown(() => sessions.close());
  const [home2, home3] = status().homes as unknown[];
  t.like(home2, { name: 'home2', address: '10.213.0.2', online: true, version: '0.1.0' });
  t.deepEqual(home3, {
    name: 'home3',
    address: '10.213.0.3',
    online: false,
    download_kBps: 0,
    packet_size: 0,
    version: '',
    queue_packets: 0,
    queue_ms: 0,
    dropped: 0,
    foreign: 0,
  });
  sessions.disconnect(sessions.get(2)!);
  t.is(sessions.get(2), undefined);
  t.deepEqual(logged, ['home home2 connected', 'home home2 disconnected']);
  t.is(status().reason, 'Serving 0 of 2 homes.');
});

test('until OpenVPN serves, and while something is wrong, the status says so', async (t) => {
  const { sessions } = await connected();
  t.teardown(() => sessions.close());
  const figures = { identity, since: 5, ipv6: true, homes, sessions };
  const starting = renderEndpointStatus({ ...figures, isUp: false, fault: null }, 0);
  t.like(starting, { state: 'starting', reason: 'OpenVPN is starting.', since: 5, ipv6: true });
  const faulty = renderEndpointStatus({ ...figures, isUp: true, fault: notice('queue-unread') }, 0);
  t.like(faulty, { state: 'shaping', reason: 'the queue that keeps the schedule can’t be read' });
});
