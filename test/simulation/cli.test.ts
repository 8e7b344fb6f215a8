// `simulate`, `recommend` and `cost` as typed: what they print, write and refuse.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Command } from 'commander';
import type { CounterSample } from '../../src/core/simulation/recommend.ts';
import { registerSimulate } from '../../src/research/cli/simulate.ts';
import { registerCost } from '../../src/shell/cli/cost.ts';
import { registerRecommend } from '../../src/shell/cli/tools/recommend.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { CapturedConsole } from '../cli/captured-console.ts';
import { fixtures } from './traces.ts';

const counters: CounterSample[] = Array.from({ length: 60 }, (_, i) => ({
  timeS: i,
  device: i % 2 ? 'plug' : 'camera',
  uploadBytes: 900,
  downloadBytes: 100,
}));

/** Runs one command line in this process. */
async function run(...argv: string[]): Promise<{ out: string; err: string; error: string }> {
  const console = new CapturedConsole(...argv);
  const context = { system: nodeSystem, console };
  const program = new Command('iotshaper').exitOverride().configureOutput({
    writeOut: (text) => console.write(text),
    writeErr: (text) => console.writeError(text),
  });
  registerSimulate(program, context);
  registerRecommend(program, context, async () => counters);
  registerCost(program, context);
  const error = await program.parseAsync(argv, { from: 'user' }).then(
    () => '',
    ({ message }: Error) => message,
  );
  return { out: console.out, err: console.err, error };
}

test('cost: the default is 40 KB/s both ways, tunnel overhead included', async (t) => {
  const { out } = await run('cost', '--cap', '500', '--price', '0.1');
  t.regex(out, /data a month +228\.4 GB/);
  t.regex(out, /share of the cap +47\.2 % of 500 GB/);
  t.regex(out, /price a month +22\.84/);
});

test('cost: idle hours count at their own rate', async (t) => {
  const { out } = await run(
    'cost',
    '--rate',
    '40',
    '--idle-hours',
    '12',
    '--idle-rate',
    '0',
    '--json',
  );
  t.is(JSON.parse(out).gb_per_month.toFixed(1), '114.2');
});

test('cost: rates, schedules, cap and price come from a configuration', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'iotshaper-cost-'));
  const path = join(folder, 'iotshaper');
  const config = `config iotshaper 'main'
	option rate '20'
	option packet_size '1000'
	option data_cap '1000'

config schedule 'night'
	list days 'mon'
	option start '00:00'
	option end '00:00'
	option rate '5'
`;
  await writeFile(path, config);
  const { out } = await run('cost', '--config', path, '--json');
  const { gb_per_month: gbPerMonth, cap_percent: capPercent } = JSON.parse(out);
  const expected = 2.592 * 1.052 * ((6 / 7) * 40 + (1 / 7) * 10);
  t.true(Math.abs(gbPerMonth - expected) < 1e-9);
  t.true(Math.abs(capPercent - (expected * 31) / 300) < 1e-9);
  await rm(folder, { recursive: true });
});

test('simulate: a line for each direction of each variant, and how fast it was', async (t) => {
  const { out } = await run('simulate', '--rate', '20', '--mode', 'none,packed-vit', fixtures.echo);
  t.regex(out, /^none +up .*\nnone +down .*\npacked-vit +up +20\.0 .*\npacked-vit +down/m);
  t.regex(out, /405 packets of 4 s, 2 variants, in [\d.]+ s: \d+ packets a second/);
});

test('simulate: writes figures, and the wire as a trace that can be read again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'iotshaper-simulate-'));
  const wire = join(folder, 'wire.csv');
  const first = await run(
    ...['simulate', '--mode', 'packed-vit', '--sweep', '--out', folder, '--wire-out', wire],
    ...['--json', fixtures.echo],
  );
  t.is(first.error, '');
  const { results, sweep } = JSON.parse(first.out);
  t.is(sweep.length, 51);
  t.regex(await readFile(join(folder, 'figure7.svg'), 'utf8'), /<svg[\s\S]*Maximum latency/);
  t.is((await readFile(join(folder, 'figure7.csv'), 'utf8')).split('\n').length, 53);
  t.is((await readFile(join(folder, 'simulate.csv'), 'utf8')).split('\n').length, 4);
  const again = await run('simulate', '--mode', 'none', '--json', wire);
  const [{ total }] = JSON.parse(again.out).results;
  t.is(total.packets, results[0].total.wire_packets);
  t.is(total.real_bytes, results[0].total.wire_bytes);
  await rm(folder, { recursive: true });
});

test('simulate: the attack sees through a VPN, not through shaping', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'iotshaper-attack-'));
  const trace = join(folder, 'bursts.csv');
  const bursts = Array.from({ length: 60 }, (_, i) =>
    Array.from(
      { length: 20 },
      (_unused, k) => `${i * 5 + (i % 3) + k * 0.05},${600 + k * 10},${k % 2 ? 1 : -1}`,
    ),
  );
  await writeFile(trace, `${bursts.flat().join('\n')}\n`);
  const { out } = await run(
    'simulate',
    '--mode',
    'vpn,packed-vit',
    '--attack',
    '--attack-seconds',
    '300',
    '--json',
    trace,
  );
  const [vpn, packed] = JSON.parse(out).attacks;
  t.is(vpn.level, 'leak');
  t.not(packed.level, 'leak');
  const { auc } = packed.windows.find(({ window_s }: { window_s: number }) => window_s === 1);
  t.true(auc.low < 0.5 && auc.value < 0.65, JSON.stringify(auc));
  await rm(folder, { recursive: true });
});

test("simulate: the paper's rates for named devices", async (t) => {
  const { out } = await run(
    'simulate',
    '--figure9',
    `echo=${fixtures.echo}`,
    `amcrest=${fixtures.camera}`,
  );
  t.regex(out, /^echo +10\/10 +\d/m);
  t.regex(out, /^amcrest +35\/2\.5 +\d/m);
});

test('simulate: a damaged file counts as far as it is good, with a warning', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'iotshaper-damage-'));
  const path = join(folder, 'cut.csv');
  await writeFile(path, '0,100,1\n1,100,1\n2,1');
  const { out, err, error } = await run('simulate', '--mode', 'none', path);
  t.is(error, '');
  t.regex(err, /warning: .*cut\.csv: line 3: direction is "".*the packets before it are used/);
  t.regex(out, /2 packets of 1 s/);
  await rm(folder, { recursive: true });
});

test('recommend: per device and jointly, and what sharing a link saves', async (t) => {
  const { out } = await run(
    'recommend',
    '--shift',
    '--packet-size',
    '512',
    ...Object.values(fixtures),
  );
  t.regex(out, /upload_rate [\d.]+ KB\/s, download_rate [\d.]+ KB\/s, packet_size 512, mode vit/);
  t.regex(out, /^all together +512/m);
  t.regex(out, /mean ms +ideal +max/);
  t.regex(out, /^echo-query\.csv +512/m);
  t.regex(out, /sharing one link takes [\d.]+ % of that/);
});

test('recommend: from the counters of the running service', async (t) => {
  const { out } = await run('recommend', '--live', '--packet-size', '512', '--json');
  const { best, singles } = JSON.parse(out);
  t.deepEqual(
    singles.map(({ device }: { device: string }) => device),
    ['camera', 'plug'],
  );
  t.true(best.up.latency.mean_ms <= 250 && best.up.latency.max_ms <= 2000);
});

const refusals: [argv: string[], expected: RegExp][] = [
  [['simulate', 'no-such.pcap'], /no-such\.pcap: cannot be read: no such file/],
  [
    ['simulate', '--mode', 'vpn,magic', 'x'],
    /'--mode <variants>' argument 'vpn,magic'.*packed-vit/,
  ],
  [['simulate', '--rate', '0', 'x'], /'--rate <KBps>' argument '0'.*between 0\.25 and 10000 KB\/s/],
  [['simulate', '--packet-size', '2000', 'x'], /'2000'.*between 256 and 1400 bytes/],
  [['simulate', '--device', 'zz', 'x'], /argument 'zz'.*MAC or IP address/],
  [['simulate', '--lan', 'x'], /--lan needs --device/],
  [['simulate', '--wire-out', 'w', 'x'], /--wire-out writes what one defence shows/],
  [['simulate', '--figure9', 'toaster=x'], /DEVICE=FILE with DEVICE one of echo, .*"toaster=x"/],
  [['recommend'], /name a capture, or --live/],
  [['recommend', '--live', 'x'], /--live reads the service, not files/],
  [['cost', '--idle-hours', '8'], /--idle-hours and --idle-rate belong together/],
  [['cost', '--price', '-1'], /'--price <money>' argument '-1'/],
];

for (const [argv, expected] of refusals) {
  test(`refused: ${argv.join(' ')}`, async (t) => {
    const { error } = await run(...argv);
    t.regex(error, expected);
  });
}
