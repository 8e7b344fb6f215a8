// `attack identify` as a user runs it.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Command } from 'commander';
import { registerAttackIdentify } from '../../src/research/cli/attack-identify.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { CapturedConsole } from '../cli/captured-console.ts';

const traces = ['tuya-plug', 'blink-hub', 'xiaodu-plug'].map(
  (name) => `test/fixtures/identify/${name}.csv`,
);
const plug = 'test/fixtures/capture/tp-link-plug-setup.pcap';

async function run(...args: string[]): Promise<{ out: string; err: string; code: number }> {
  const console = new CapturedConsole(...args);
  const program = new Command('iotshaper').exitOverride().configureOutput({ writeErr: () => {} });
  registerAttackIdentify(program.command('attack'), { system: nodeSystem, console });
  try {
    await program.parseAsync(['attack', 'identify', ...args], { from: 'user' });
    return { out: console.out, err: console.err, code: 0 };
  } catch (error) {
    return { out: console.out, err: console.err + (error as Error).message, code: 1 };
  }
}

async function temporary(t: { teardown: (clean: () => Promise<void>) => void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'identify-'));
  t.teardown(() => rm(directory, { recursive: true }));
  return directory;
}

test('names a real plug by DNS and maker', async (t) => {
  const { out, err, code } = await run(plug);
  t.deepEqual([err, code], ['', 0]);
  t.regex(out, /50:c7:bf:00:c7:03 +TP-LINK[^\n]* TP-Link smart plug \(devs\.tplinkcloud\.com\)/);
  t.regex(out, /\nNames looked up in the clear give away: TP-Link smart plug \(1\)\n/);
  t.regex(out, /Rates were not judged: that takes two devices with at least 10 windows each/);
});

test('judges rates and writes figures and plots', async (t) => {
  const directory = await temporary(t);
  const { out, code } = await run(
    ...traces,
    '--window',
    '60,120',
    '--sample',
    '1,10',
    '--out',
    directory,
  );
  t.is(code, 0);
  t.regex(out, /\n60 s +3 +\d+ +\d+\.\d % \(\d+\) +\d+\.\d % \(\d+\)\n/);
  t.regex(out, /Balanced, each device counting the same: 9\d\.\d % \(guessing 33\.3 %\)/);
  t.regex(out, /\ndevice +windows +right +else called\n/);
  t.deepEqual((await readdir(directory)).sort(), [
    'accuracy-lines.svg',
    'accuracy.csv',
    'accuracy.svg',
    'identify.json',
    'rates.svg',
    'windows.svg',
  ]);
  const csv = (await readFile(join(directory, 'accuracy.csv'), 'utf8')).trim().split('\n');
  t.is(csv.length, 5);
  for (const name of await readdir(directory)) {
    const text = await readFile(join(directory, name), 'utf8');
    t.false(/NaN|Infinity|undefined/.test(text), name);
  }
});

test('is the same for the same seed, and JSON is JSON', async (t) => {
  const once = await run(...traces, '--window', '60', '--sample', '5', '--json');
  const again = await run(...traces, '--window', '60', '--sample', '5', '--json');
  t.is(once.out, again.out);
  const { best, devices, judgements } = JSON.parse(once.out);
  t.deepEqual([devices.length, judgements.length, best.window_s, best.sample_s], [3, 1, 60, 5]);
  t.true(best.shuffled.accuracy > 0.95);
});

test('a label file names devices, also traces', async (t) => {
  const directory = await temporary(t);
  const labels = join(directory, 'labels.csv');
  await writeFile(labels, 'file,blink-hub.csv,Hub\nmac,50:C7:BF:00:C7:03,Kettle plug\n');
  const { out } = await run(
    ...traces,
    plug,
    '--labels',
    labels,
    '--window',
    '60',
    '--sample',
    '5',
    '--json',
  );
  const names = JSON.parse(out).devices.map(
    ({ label, basis }: { label: string; basis: string }) => [basis, label],
  );
  t.deepEqual(names.filter(([basis]: string[]) => basis === 'label file').sort(), [
    ['label file', 'Hub'],
    ['label file', 'Kettle plug'],
  ]);
});

test('a damaged capture counts as far as it is good, with a warning', async (t) => {
  const directory = await temporary(t);
  const cut = join(directory, 'cut.pcap');
  await writeFile(cut, (await readFile(plug)).subarray(0, -10));
  const { out, err, code } = await run(cut);
  t.is(code, 0);
  t.regex(out, /50:c7:bf:00:c7:03/);
  t.regex(
    err,
    /^warning: .*cut\.pcap: packet 52 \(index 51\) at byte \d+: cut off: .*; the 51 packets before it are used\n$/,
  );
});

const mistakes: Record<string, [args: string[], message: RegExp]> = {
  'no such file': [['no-such.pcap'], /^no-such\.pcap: cannot be read: no such file$/],
  'a window that is no number': [
    [plug, '--window', 'x'],
    /'--window <seconds>' argument 'x' is invalid\. must be a number between 0\.01 and 86400 s\.$/,
  ],
  'a sample of no length': [[plug, '--sample', '1,0'], /'--sample <seconds>' argument '1,0'/],
  'a MAC address that is none': [
    [plug, '--mac', '18:b4'],
    /^--mac is "18:b4", which is no MAC address$/,
  ],
  'a device that is not there': [
    [plug, '--mac', '18:b4:30:00:00:01'],
    /no traffic of these devices with the Internet in there$/,
  ],
  'a view that is none': [[plug, '--view', 'sky'], /^--view is "sky", expected lan, wan or auto$/],
  'a seed that is no number': [
    [plug, '--seed', 'x'],
    /'--seed <number>' argument 'x'.* whole number/,
  ],
  'no label file': [[plug, '--labels', 'none.csv'], /^--labels none\.csv: no such file$/],
};

for (const [name, [args, message]] of Object.entries(mistakes)) {
  test(`says what is wrong: ${name}`, async (t) => {
    const { out, err, code } = await run(...args);
    t.deepEqual([out, code], ['', 1]);
    t.regex(err, message);
  });
}

test('flow records are said to be no packets, and logs of names name their devices', async (t) => {
  const flows = 'test/fixtures/flows/nfcapd-plain';
  const directory = await temporary(t);
  const dns = join(directory, 'dns.log');
  const line = { ts: 1, 'id.orig_h': '10.10.10.20', query: 'devs.tplinkcloud.com', answers: [] };
  await writeFile(dns, JSON.stringify({ ...line, answers: ['52.49.65.150'] }));
  const { out, err, code } = await run(flows, dns);
  t.is(code, 0);
  t.regex(err, /11 records of flows with 45 packets, not the packets themselves/);
  t.regex(out, /50:c7:bf:00:c7:03 +TP-LINK[^\n]* TP-Link smart plug \(devs\.tplinkcloud\.com\)/);
  t.regex((await run(traces[0]!, '--columns', 'when=1')).err, /must be NAME=TITLE/);
});
