// `audit` and `attack activity` as commands: exit statuses, output that programs can read, errors that name the option.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { Sample } from '../../src/core/capture/trace.ts';
import { householdTrace } from './activity-household.ts';
import { synthesize } from './audit-synthetic.ts';

const program = fileURLToPath(new URL('../../src/main.js', import.meta.url));

interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

function iotshaper(...argv: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, ...argv],
      { maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
  });
}

const csv = (samples: readonly { timeS: number; bytes?: number; direction?: string }[]) =>
  `time,size,direction\n${samples.map(({ timeS, bytes, direction }) => `${timeS.toFixed(6)},${bytes},${direction}\n`).join('')}`;

let folder = '';
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'iotshaper-command-'));
  const { wire, activity } = synthesize({ seconds: 60, seed: 2, leak: 'one in 50 a byte short' });
  await writeFile(join(folder, 'wire.csv'), csv(wire));
  await writeFile(join(folder, 'activity.csv'), csv(activity));
  const { packets, events } = householdTrace(1, 200);
  await writeFile(join(folder, 'echo.csv'), csv(packets.get('echo') as Sample[]));
  const own = events.filter(({ device }) => device === 'echo');
  await writeFile(
    join(folder, 'events.csv'),
    own.map(({ timeS }) => `${timeS},question\n`).join(''),
  );
});
test.after.always(() => rm(folder, { recursive: true, force: true }));

test('audit: a leak is exit status 1, in words and as JSON', async (t) => {
  const argv = [
    'audit',
    '--wire',
    join(folder, 'wire.csv'),
    '--activity',
    join(folder, 'activity.csv'),
  ];
  const words = await iotshaper(...argv);
  t.is(words.status, 1, words.stderr);
  t.regex(words.stdout, /^Leak: \d+ of \d+ packets up/);
  const json = await iotshaper(
    ...argv,
    '--json',
    '--from',
    '5',
    '--to',
    '35',
    '--out',
    join(folder, 'out'),
  );
  t.is(json.status, 1);
  const result = JSON.parse(json.stdout);
  t.is(result.level, 'leak');
  t.true(result.seconds > 28 && result.seconds <= 30);
  t.deepEqual(JSON.parse(await readFile(join(folder, 'out', 'audit.json'), 'utf8')), result);
});

test('audit: options that are wrong are exit status 2, an audit that can’t be made is 4, and both are named', async (t) => {
  const wire = join(folder, 'wire.csv');
  const rows: [string[], RegExp, number?][] = [
    [['audit'], /give --wire and --activity/],
    [['audit', '--wan', 'eth0'], /--wan needs --lan/],
    [['audit', '--wire', join(folder, 'none.csv'), '--activity', wire], /none\.csv/, 4],
    [
      ['audit', '--wire', wire, '--activity', wire, '--windows', '1,x'],
      /'--windows <seconds>' argument '1,x' is invalid\. must be a number between 0\.1 and 3600 s\./,
    ],
    [['audit', '--wire', wire, '--activity', wire, '--from', '1e6'], /between --from and --to/, 4],
    [
      ['audit', '--wire', wire, '--activity', wire, '--events', 'nowhere'],
      /--events nowhere: no such file/,
      4,
    ],
  ];
  for (const [argv, message, expected = 2] of rows) {
    const { status, stderr } = await iotshaper(...argv);
    t.is(status, expected, argv.join(' '));
    t.regex(stderr, message);
    t.notRegex(stderr, /\n\s+at /);
  }
});

test('attack activity: figures for people and programs', async (t) => {
  const argv = [
    'attack',
    'activity',
    join(folder, 'echo.csv'),
    '--events',
    join(folder, 'events.csv'),
  ];
  const { status, stdout, stderr } = await iotshaper(
    ...argv,
    '--json',
    '--out',
    join(folder, 'activity'),
  );
  t.is(status, 0, stderr);
  t.true(JSON.parse(stdout).score.f1 >= 0.9);
  t.regex(await readFile(join(folder, 'activity', 'activity.svg'), 'utf8'), /^<svg/);
  t.regex(await readFile(join(folder, 'activity', 'activity.csv'), 'utf8'), /^time,stream,seconds/);
  const wrong = await iotshaper(...argv, '--tolerance', 'long');
  t.is(wrong.status, 2);
  t.regex(wrong.stderr, /'--tolerance <seconds>' argument 'long' is invalid/);
});
