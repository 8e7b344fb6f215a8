// A replay beside its simulation: the figures of both, of the same packets.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { linkTypes } from '../../src/core/capture/link-layer.ts';
import { Packer } from '../../src/core/framing/packer.ts';
import { DeviceQueues } from '../../src/core/framing/queues.ts';
import { FRAME_PORT } from '../../src/core/plan/names.ts';
import { PATH_MS } from '../../src/core/simulation/packed-link.ts';
import { renderJson } from '../../src/core/text/json.ts';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { LabError } from '../../src/research/lab/error.ts';
import { compareRun, renderComparison } from '../../src/research/lab/findings/comparison.ts';
import { encodeCapture } from '../capture/capture-writer.ts';
import { buildIpv4, writeIpv4Checksum } from '../framing/ip-packets.ts';
import { captured } from './support/packets.ts';

const device = '192.168.1.20';
const packets = 40;
const seconds = 60;
const times = { waitMs: 6.5, delayMs: 7 };

/** A UDP datagram in an IPv4 packet of its own, from a port to the same one. */
function datagram(payload: Uint8Array, port: number): Uint8Array {
  const udp = new Uint8Array(8 + payload.length);
  const bytes = [port >> 8, port & 255];
  udp.set([...bytes, ...bytes, udp.length >> 8, udp.length], 0);
  udp.set(payload, 8);
  return buildIpv4([10, 0, 0, 1], [10, 0, 0, 2], udp);
}

/** Its type, code and checksum look like the number of a replayed packet. */
function echoReply(checksum: number): Uint8Array {
  const packet = buildIpv4([10, 0, 0, 1], [10, 0, 0, 2], Uint8Array.of(0, 0, 0, checksum));
  packet[9] = 1;
  writeIpv4Checksum(packet);
  return packet;
}

/** Writes what went into the packer and what left the queue, `waitMs` later. */
async function writeQueue(folder: string, direction: 'up' | 'down', waitMs: number, n: number) {
  const queues = new DeviceQueues();
  const packer = new Packer({ packetBytes: 512, queues, firstSequence: 7 });
  const entered = [];
  const left = [];
  queues.enqueue('device', echoReply(2), 5_000_000);
  for (let k = 0; k < n; k++) {
    const timeS = 5000 + 1.4 * k;
    const numbered = Buffer.alloc(72, 1);
    numbered.writeUInt32BE(k + 1, 0);
    const data = datagram(numbered, lab.replayPort);
    entered.push({ timeS, data });
    queues.enqueue('device', data, timeS * 1000);
    const frame = packer.nextFrame(timeS * 1000)!;
    left.push({ timeS: timeS + waitMs / 1000, data: datagram(frame, FRAME_PORT) });
  }
  const file = (which: string) => join(folder, `queue-${direction}-${which}.pcap`);
  await writeFile(file('in'), encodeCapture(linkTypes.raw, entered));
  await writeFile(file('out'), encodeCapture(linkTypes.raw, left));
}

/** A run that replayed one packet of 100 bytes every 1.4 s: each waited `waitMs` and was felt to take `delayMs`. */
async function replayRun(
  t: ExecutionContext,
  { waitMs, delayMs }: { waitMs: number; delayMs: number },
  summary: object = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'compare-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const capture = join(folder, 'capture.pcap');
  const frames = Array.from({ length: packets }, (_, k) =>
    captured(1000 + 1.4 * k, { source: device, destination: '198.51.100.7', ipBytes: 100 }),
  );
  await writeFile(capture, encodeCapture(1, frames));
  const line = (_: unknown, k: number) => `${k},replay,up,udp,100,${delayMs.toFixed(3)}`;
  await writeFile(
    join(folder, 'delays.csv'),
    `time,device,direction,protocol,bytes,delay_ms\n${frames.map(line).join('\n')}\n`,
  );
  await writeQueue(folder, 'up', waitMs, packets);
  await writeQueue(folder, 'down', waitMs, 0);
  const wire = { wireKBps: (40_000 / 512) * 0.564 };
  const whole = {
    variant: 'constant',
    startS: 0,
    seconds,
    rateKBps: 40,
    packetBytes: 512,
    intervalSdPercent: 30,
    replay: { capture, device, offsetS: 0, packets },
    up: wire,
    down: wire,
    ...summary,
  };
  await writeFile(join(folder, 'summary.json'), renderJson(whole));
  return folder;
}

test('lone packets wait half a slot in the simulation; cover costs the same in both', async (t) => {
  const compared = await compareRun(await replayRun(t, times));
  t.deepEqual(
    compared.map(({ direction, packets: n }) => [direction, n]),
    [['up', packets]],
  );
  const { lab, simulated, onItsSlots, felt } = compared[0]!;
  t.is(lab.meanMs.toFixed(3), '6.500');
  t.is(lab.maxMs.toFixed(3), '6.500');
  t.is(felt.meanMs, 7);
  t.true(Math.abs(simulated.meanMs - 6.4 - PATH_MS) < 0.4, `${simulated.meanMs}`);
  t.true(simulated.maxMs <= 12.81 + PATH_MS, `${simulated.maxMs}`);
  t.is(onItsSlots.meanMs.toFixed(3), '6.500');
  t.true(
    Math.abs(simulated.overheadRatio / lab.overheadRatio - 1) < 0.001,
    `${simulated.overheadRatio} against ${lab.overheadRatio}`,
  );
  t.regex(renderComparison(compared), /up +off by +-?\d+\.\d %/);
  t.regex(renderComparison(compared), /up +on the lab’s slots +40 +6\.50/);
  t.regex(renderComparison(compared), /up +felt +40 +7\.00/);
  for (const { ideal, simulated } of compared) t.true(ideal.meanMs < simulated.meanMs);
  t.regex(renderComparison(compared), /up +ideal +40 +\d+\.\d\d/);
});

test('what is no shaped replay cannot be compared', async (t) => {
  await t.throwsAsync(replayRun(t, times, { replay: null }).then(compareRun), {
    message:
      /is a run of "constant" without a replay; compare takes lab run --variant vit --replay$/,
  });
  await t.throwsAsync(replayRun(t, times, { variant: 'vpn' }).then(compareRun), {
    message: /is a run of "vpn"; compare takes/,
  });
  const old = await replayRun(t, times);
  await rm(join(old, 'queue-up-out.pcap'));
  await t.throwsAsync(compareRun(old), {
    instanceOf: LabError,
    message: /queue-up-out\.pcap: .*no such file; run the replay again$/,
  });
  await t.throwsAsync(compareRun('test/fixtures'), {
    message: /^test\/fixtures\/summary\.json: is not the summary of a lab run; give a folder/,
  });
});
