// A replay beside its simulation: the figures of both, of the same packets.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { encodeCapture } from '../../src/capture/writer.ts';
import { compareRun, renderComparison } from '../../src/lab/comparison.ts';
import { startPlant } from '../../src/lab/plants.ts';
import { type VariantContext, withoutTunnel } from '../../src/lab/variants/variant.ts';
import { captured } from './support/packets.ts';

const device = '192.168.1.20';
const packets = 40;
const seconds = 60;

/** A run that replayed one packet of 100 bytes every 1.4 s, each of which took `delayMs`. */
async function replayRun(t: ExecutionContext, delayMs: number, summary: object = {}) {
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
  await writeFile(join(folder, 'summary.json'), JSON.stringify(whole));
  return folder;
}

test('lone packets wait half a slot in the simulation; cover costs the same in both', async (t) => {
  const compared = await compareRun(await replayRun(t, 7));
  t.deepEqual(
    compared.map(({ direction, packets: n }) => [direction, n]),
    [['up', packets]],
  );
  const { lab, simulated } = compared[0]!;
  t.is(lab.meanMs, 7);
  t.is(lab.maxMs, 7);
  t.true(Math.abs(simulated.meanMs - 6.4) < 0.4, `${simulated.meanMs}`);
  t.true(simulated.maxMs <= 12.81, `${simulated.maxMs}`);
  t.true(
    Math.abs(simulated.overheadRatio / lab.overheadRatio - 1) < 0.001,
    `${simulated.overheadRatio} against ${lab.overheadRatio}`,
  );
  // The shortest of the simulation's delays is next to nothing, the lab's are all 7 ms.
  t.true(compared[0]!.pathMs > 6 && compared[0]!.pathMs < 7, `${compared[0]!.pathMs}`);
  t.regex(renderComparison(compared), /up +off by +-?\d+\.\d %/);
});

test('what is no shaped replay cannot be compared', async (t) => {
  await t.throwsAsync(replayRun(t, 7, { replay: null }).then(compareRun), {
    message:
      /is a run of "constant" without a replay; compare takes lab run --variant vit --replay$/,
  });
  await t.throwsAsync(replayRun(t, 7, { variant: 'vpn' }).then(compareRun), {
    message: /is a run of "vpn"; compare takes/,
  });
  await t.throwsAsync(compareRun('test/fixtures'), {
    message: /^test\/fixtures\/summary\.json: is not the summary of a lab run; give a folder/,
  });
});

test('a leak can only be planted where a tunnel is', async (t) => {
  const context = { options: { plant: 'pause' }, topology: { names: {} } };
  await t.throwsAsync(startPlant(context as unknown as VariantContext, withoutTunnel, [], 0), {
    message: '--plant: this variant has no tunnel to leak by',
  });
});
