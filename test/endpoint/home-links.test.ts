// Connected homes: whose a packet is, what the status tells of them, and links that are closed while they open.
import test from 'ava';
import type { StreamWish } from '../../src/core/endpoint/machine/events.ts';
import { initialState } from '../../src/core/endpoint/machine/state.ts';
import { renderEndpointStatus } from '../../src/shell/endpoint/endpoint-status.ts';
import { HomeLinks } from '../../src/shell/endpoint/home-links.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import type { System, UdpOptions, UdpSocket } from '../../src/shell/system/system.ts';
import { buildIpv4 } from '../framing/ip-packets.ts';
import { Play } from './play.ts';

function wish(host: number, change: Partial<StreamWish> = {}): StreamWish {
  return {
    host,
    local: '10.213.0.1',
    peer: `10.213.0.${host}`,
    inner: {
      prefix4: `10.214.${host}.0/24`,
      prefix6: null,
      resolver4: '10.214.0.1',
      resolver6: null,
    },
    shape: { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 },
    maxDelayMs: 5000,
    standing: 0,
    ...change,
  };
}

/** Links over sockets that say nothing, on a clock that stands still. */
function newLinks(opening: (options: UdpOptions) => Promise<void> = async () => {}) {
  const open = new Set<string>();
  const system: System = {
    ...nodeSystem,
    clock: { monotonicMs: () => 1000, unixMs: () => 0 },
    sockets: {
      ...nodeSystem.sockets,
      openUdp: async (options) => {
        await opening(options);
        const { address } = options.peer!;
        open.add(address);
        const socket: UdpSocket = {
          send: () => {},
          sendTo: () => {},
          setSendBuffer: () => {},
          sendBufferBytes: () => 0,
          close: () => open.delete(address),
        };
        return socket;
      },
    },
  };
  const links = new HomeLinks({ system, departures: () => 0, onPacket: () => {} });
  return { links, open };
}

const to = (host: number) => buildIpv4([192, 0, 2, 1], [10, 214, host, 7], Buffer.alloc(100));

test('a packet waits with the home that it is for, and nobody’s waits nowhere', async (t) => {
  const { links } = newLinks();
  await links.apply([wish(2), wish(3)]);
  for (const host of [3, 3, 4]) links.enqueue(to(host));
  t.deepEqual(
    [2, 3, 4].map((host) => links.report(host, 1250).queuePackets),
    [0, 2, 0],
  );
  t.is(links.report(3, 1250).queueMs, 250);
});

test('a link stays open as long as it is not closed, whatever else is asked of it', async (t) => {
  const { links, open } = newLinks();
  await links.apply([wish(2)]);
  links.enqueue(to(2));
  await links.apply([wish(2, { maxDelayMs: 100 }), wish(3)]);
  t.is(links.report(2, 1000).queuePackets, 1);
  t.deepEqual([...open], ['10.213.0.2', '10.213.0.3']);
  links.close(2);
  t.deepEqual([...open], ['10.213.0.3']);
  t.is(links.report(2, 1000).queuePackets, 0);
});

test('a link that is closed while its socket opens leaves none open', async (t) => {
  const { links, open } = newLinks(async () => links.close(2));
  await links.apply([wish(2)]);
  t.deepEqual([...open], []);
});

test('a link that can’t be opened is opened the next time', async (t) => {
  let tries = 0;
  const { links, open } = newLinks(async () => {
    if (tries++ === 0) throw new Error('no such address');
  });
  await t.throwsAsync(links.apply([wish(2)]), { message: 'no such address' });
  await links.apply([wish(2)]);
  t.deepEqual([...open], ['10.213.0.2']);
});

test('the status tells of each home whether it is connected, and how its download does', async (t) => {
  const { links } = newLinks();
  const play = Play.serving(t, [2]);
  const machine = { ...play.state, homes: [...play.state.homes, { ...play.homes[0]!, host: 3 }] };
  await links.apply([wish(2)]);
  links.enqueue(to(2));
  const status = renderEndpointStatus({ machine, links, since: 5, nowMs: 1250 });
  t.like(status, { state: 'shaping', reason: 'Serving 1 of 2 homes.', since: 5, ipv6: false });
  const limits = { down_kBps: null, up_kBps: null, slots: null, month_gb: null };
  const figures = {
    ...{ queue_packets: 1, queue_ms: 250, dropped: 0, foreign: 0 },
    ...{ limits, month_gb: 0, refused: null },
  };
  t.deepEqual(status.homes, [
    {
      ...{ name: 'home2', address: '10.213.0.2', online: true, download_kBps: 40 },
      ...{ packet_size: 512, standing_slots: 0, version: '1', ...figures },
      ...{ slots_asked_per_s: 78.125, slots_sent_per_s: 78.125 },
    },
    {
      ...{ name: 'home2', address: '10.213.0.3', online: false, download_kBps: 0 },
      ...{
        packet_size: 0,
        standing_slots: 0,
        version: '',
        ...figures,
        queue_packets: 0,
        queue_ms: 0,
      },
      ...{ slots_asked_per_s: 0, slots_sent_per_s: null },
    },
  ]);
  const { place } = machine;
  t.like(renderEndpointStatus({ machine: initialState(place), links, since: 5, nowMs: 0 }), {
    ...{ state: 'starting', reason: 'OpenVPN is starting.', homes: [] },
  });
});

test('what waits for all homes together has a bound, however much each asks for', async (t) => {
  const { links } = newLinks();
  const shape = { rateKBps: 10_000, packetBytes: 1400, mode: 'vit', sdPercent: 30 } as const;
  const hosts = Array.from({ length: 100 }, (_, index) => index + 2);
  await links.apply(hosts.map((host) => wish(host, { shape, maxDelayMs: 3_600_000 })));
  const large = buildIpv4([192, 0, 2, 1], [10, 214, 2, 7], Buffer.alloc(1400));
  for (let count = 0; count < 3000; count++) links.enqueue(large);
  const { queuePackets, dropped } = links.report(2, 1000);
  t.true(queuePackets * large.length < (160 << 20) / hosts.length, `${queuePackets} wait`);
  t.true(dropped > 1000);
});
