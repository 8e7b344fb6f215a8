// Captures as the audit reads them: which flow is the tunnel, who is home, what is a device's; and recording live.
import { existsSync, watch } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { linkTypes } from '../../src/core/capture/link-layer.ts';
import {
  HomeCapture,
  readActivity,
  readTunnel,
  TunnelCapture,
} from '../../src/shell/analysis/audit-capture.ts';
import { RecordingError, recordLive, tcpdumpArgv } from '../../src/shell/analysis/live-capture.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import type { Processes, System } from '../../src/shell/system/system.ts';
import { encodeCapture } from '../capture/capture-writer.ts';

interface Datagram {
  timeS: number;
  from: string;
  to: string;
  fromPort: number;
  toPort: number;
  payload: number[];
  fromMac?: string;
  toMac?: string;
}

const DATA = 9 << 3;
const CONTROL = 4 << 3;
const home = '100.64.8.2';
const endpoint = '203.0.113.10';

/** An Ethernet frame with IPv4, UDP and payload. */
function frame({ from, to, fromPort, toPort, payload, fromMac, toMac }: Datagram): Uint8Array {
  const mac = (text = '02:00:00:00:00:01') =>
    text.split(':').map((part) => Number.parseInt(part, 16));
  const ip = (text: string) => text.split('.').map(Number);
  const word = (value: number) => [value >> 8, value & 255];
  const ipBytes = 28 + payload.length;
  return Uint8Array.from([
    ...[...mac(toMac), ...mac(fromMac), 8, 0],
    ...[0x45, 0, ...word(ipBytes), 0, 0, 0, 0, 64, 17, 0, 0, ...ip(from), ...ip(to)],
    ...[...word(fromPort), ...word(toPort), ...word(8 + payload.length), 0, 0, ...payload],
  ]);
}

const packet = (datagram: Datagram, index = 0) => {
  const data = frame(datagram);
  return {
    index,
    timeS: datagram.timeS,
    linkType: linkTypes.ethernet,
    data,
    originalBytes: data.length,
  };
};

const upward = (timeS: number, opcode = DATA): Datagram => ({
  timeS,
  from: home,
  to: endpoint,
  fromPort: 40000,
  toPort: 1194,
  payload: [opcode, ...new Array<number>(99).fill(0)],
});
const downward = (timeS: number, opcode = DATA): Datagram => ({
  ...upward(timeS, opcode),
  from: endpoint,
  to: home,
  fromPort: 1194,
  toPort: 40000,
});
const dns = (timeS: number): Datagram => ({ ...upward(timeS), to: '198.51.100.53', toPort: 53 });

test('the tunnel is the largest UDP flow; its control channel is kept apart', (t) => {
  const capture = new TunnelCapture();
  for (const one of [
    dns(0),
    downward(1, CONTROL),
    upward(1.1, CONTROL),
    upward(2),
    downward(3),
    upward(4),
  ]) {
    capture.add(packet(one));
  }
  const trace = capture.tunnel()!;
  t.is(trace.home, `${home}:40000`);
  t.is(trace.endpoint, `${endpoint}:1194`);
  t.deepEqual(trace.data, [
    { timeS: 2, bytes: 128, direction: 'up' },
    { timeS: 3, bytes: 128, direction: 'down' },
    { timeS: 4, bytes: 128, direction: 'up' },
  ]);
  t.is(trace.control.length, 2);
  t.is(capture.tunnel({ port: 53 })!.endpoint, '198.51.100.53:53');
  t.is(capture.tunnel({ home: endpoint })!.data[0]!.direction, 'down');
  t.is(capture.tunnel({ port: 999 }), null);
});

test('a device is told from its gateway by addresses, then by MAC', (t) => {
  const device = '18:b4:30:00:00:01';
  const gateway = '02:aa:00:00:00:01';
  const lan = { from: '192.168.8.11', to: '192.168.8.1', fromPort: 5, toPort: 53, payload: [1] };
  const outward = { ...lan, to: '198.51.100.7', timeS: 1, fromMac: device, toMac: gateway };
  const packets = [
    { ...lan, timeS: 0, fromMac: device, toMac: gateway },
    outward,
    {
      ...outward,
      timeS: 2,
      from: '198.51.100.7',
      to: '192.168.8.11',
      fromMac: gateway,
      toMac: device,
    },
    { ...lan, timeS: 3, fromMac: device, toMac: '18:b4:30:00:00:02' },
    { ...lan, timeS: 4, to: '255.255.255.255', toMac: 'ff:ff:ff:ff:ff:ff' },
    { ...lan, timeS: 5, to: '239.255.255.250', toMac: '01:00:5e:7f:ff:fa' },
    { ...outward, timeS: 6, from: '192.168.8.12', fromMac: '18:b4:30:00:00:02' },
  ];
  const all = new HomeCapture();
  const one = new HomeCapture([device]);
  for (const datagram of packets) {
    all.add(packet(datagram));
    one.add(packet(datagram));
  }
  t.deepEqual(
    all.activity().map(({ timeS, direction }) => [timeS, direction]),
    [
      [0, 'up'],
      [1, 'up'],
      [2, 'down'],
      [6, 'up'],
    ],
  );
  t.deepEqual(
    one.activity().map(({ timeS }) => timeS),
    [0, 1, 2],
  );
});

test('where everything stays in the home, nobody knows who began', (t) => {
  const capture = new HomeCapture();
  capture.add(packet({ ...upward(1), from: '192.168.8.11', to: '192.168.8.1' }));
  t.deepEqual(capture.activity(), [{ timeS: 1, bytes: 128 }]);
});

test.serial(
  'captures and CSV are read from files, and a capture without a tunnel says so',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'iotshaper-audit-'));
    try {
      const path = join(folder, 'wan.pcap');
      const records = [upward(1), downward(2)].map((one) => ({
        timeS: one.timeS,
        data: frame(one),
      }));
      await writeFile(path, encodeCapture(linkTypes.ethernet, records));
      t.is((await readTunnel(nodeSystem, path, { port: 1194 })).data.length, 2);
      t.is((await readActivity(nodeSystem, path)).length, 2);
      await t.throwsAsync(readTunnel(nodeSystem, path, { port: 7 }), {
        message: `${path}: holds no UDP packets of port 7`,
      });
      const csv = join(folder, 'wan.csv');
      await writeFile(csv, 'time,size,direction\n1,564,up\n2,564,down\n');
      t.deepEqual((await readTunnel(nodeSystem, csv)).data[1], {
        timeS: 2,
        bytes: 564,
        direction: 'down',
      });
      t.is((await readActivity(nodeSystem, csv)).length, 2);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test('tcpdump is asked for headers only', (t) => {
  const argv = tcpdumpArgv({ netdev: 'wan', filter: 'udp port 1194' });
  t.is(argv[argv.indexOf('-s') + 1], '96');
  t.is(argv[argv.indexOf('-i') + 1], 'wan');
  t.is(argv.at(-1), 'udp port 1194');
});

/** A tcpdump that hands over one capture and then waits to be told to stop, or fails at once. */
const standIn = `#!${process.execPath}
const [device] = process.argv.slice(process.argv.indexOf('-i') + 1);
if (device === 'none0') { console.error('tcpdump: none0: No such device exists'); process.exit(1); }
process.on('SIGINT', () => { process.stderr.write('3 packets dropped by kernel\\n', () => process.exit(0)); });
const file = __dirname + '/' + device;
process.stdout.write(require('fs').readFileSync(file), () => require('fs').writeFileSync(file + '.told', ''));
setInterval(() => {}, 1000);
`;

/** This machine, with the tcpdump that is in `folder`. */
function systemWith(folder: string): System {
  const { processes } = nodeSystem;
  const spawn: Processes['spawn'] = ([program, ...rest], events) =>
    processes.spawn([join(folder, program!), ...rest], events);
  return { ...nodeSystem, processes: { ...processes, spawn } };
}

/** Aborts once the stand-ins have handed over what they hold of these netdevs. */
function whenTold(folder: string, netdevs: readonly string[]): AbortSignal {
  const telling = new AbortController();
  const watcher = watch(folder, () => {
    if (!netdevs.every((netdev) => existsSync(join(folder, `${netdev}.told`)))) return;
    watcher.close();
    telling.abort();
  });
  return telling.signal;
}

test.serial(
  'a live recording takes both sides with one clock and counts what was lost',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'iotshaper-live-'));
    const system = systemWith(folder);
    try {
      await writeFile(join(folder, 'tcpdump'), standIn);
      await writeFile(join(folder, 'package.json'), '{"type":"commonjs"}');
      await chmod(join(folder, 'tcpdump'), 0o755);
      const wan = [upward(1), downward(2)].map((one) => ({ timeS: one.timeS, data: frame(one) }));
      await writeFile(join(folder, 'wan'), encodeCapture(linkTypes.ethernet, wan));
      const lan = [
        { timeS: 1.5, data: frame({ ...upward(1.5), from: '192.168.8.11', to: '198.51.100.7' }) },
      ];
      await writeFile(join(folder, 'br-iot'), encodeCapture(linkTypes.ethernet, lan));

      const recording = await recordLive(system, {
        wan: 'wan',
        port: 1194,
        activity: { lan: ['br-iot'] },
        seconds: 60,
        signal: whenTold(folder, ['wan', 'br-iot']),
      });
      t.is(recording.tunnel.data.length, 2);
      t.deepEqual(recording.activity, [{ timeS: 1.5, bytes: 128, direction: 'up' }]);
      t.is(recording.dropped, 6);

      async function* told() {
        yield { timeS: 1.25 };
        await new Promise(() => {});
      }
      await rm(join(folder, 'wan.told'));
      const served = await recordLive(system, {
        wan: 'wan',
        port: 1194,
        activity: told(),
        seconds: 60,
        signal: whenTold(folder, ['wan']),
      });
      t.deepEqual(served.activity, [{ timeS: 1.25 }]);

      await t.throwsAsync(
        recordLive(system, {
          wan: 'none0',
          port: 1194,
          activity: { lan: ['br-iot'] },
          seconds: 60,
        }),
        {
          instanceOf: RecordingError,
          message: 'none0: tcpdump: none0: No such device exists',
        },
      );
      await t.throwsAsync(
        recordLive(system, { wan: 'wan', port: 9, activity: { lan: [] }, seconds: 1 }),
        {
          message: 'wan: no packet of UDP port 9 went by',
        },
      );
      await rm(join(folder, 'tcpdump'));
      await t.throwsAsync(
        recordLive(system, { wan: 'wan', port: 1194, activity: { lan: [] }, seconds: 60 }),
        {
          message: /^tcpdump is not installed: install it/,
        },
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test('a recording that turns to noise is stopped, and says at which packet', async (t) => {
  const good = encodeCapture(linkTypes.ethernet, [{ timeS: 1, data: frame(upward(1)) }]);
  const signals: string[] = [];
  const spawn: Processes['spawn'] = (_argv, { onOutput, onErrorOutput, onExit }) => {
    queueMicrotask(() => {
      onErrorOutput!(Buffer.from('tcpdump: listening on wan\n'));
      onOutput!(good);
      onOutput!(new Uint8Array(64).fill(255));
    });
    return {
      pid: 1,
      write: () => {},
      endInput: () => {},
      kill: (name) => {
        signals.push(name);
        queueMicrotask(() => onExit({ status: 0, signal: null, failure: null }));
      },
    };
  };
  const system = { ...nodeSystem, processes: { ...nodeSystem.processes, spawn } };
  await t.throwsAsync(
    recordLive(system, { wan: 'wan', port: 1194, activity: { lan: [] }, seconds: 60 }),
    { instanceOf: RecordingError, message: /^wan: tcpdump on wan: packet 2 .* at byte \d+: / },
  );
  t.true(signals.includes('SIGINT'));
});
