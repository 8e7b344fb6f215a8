// `check` and `print` as typed: every option wrong in turn, exit 1, the option named, nothing said to be valid.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { sections } from '../../src/core/config/options/options.ts';
import type { ConfigStatus } from '../../src/core/home/api.ts';
import { renderSection, sound, specOf, wrong } from '../config/wrong-options.ts';
import { hasStackTrace, iotshaper, startIotshaper } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'iotshaper-cli-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function write(text: string | Uint8Array): string {
  const path = join(folder, `config${files++}`);
  writeFileSync(path, text);
  return path;
}

const profile = join(process.cwd(), 'test/fixtures/openvpn/home.ovpn');
const good = write(`config iotshaper 'main'
	option enabled '1'

config tunnel 'tunnel'
	option profile '${profile}'

config network
	option device 'br-iot'
`);

/** A tunnel's inside that another test has on this machine for a moment is nothing to `check` here: it looks again. */
async function check(path: string, run = iotshaper): ReturnType<typeof iotshaper> {
  for (;;) {
    const ended = await run('check', path);
    if (!ended.stderr.includes(' on iot0 lies in ')) return ended;
  }
}

/** A sound file in which one option is wrong, and the option as `uci` names it. */
function oneWrong(option: string, value: string): { path: string; name: string } {
  const [spec, name] = specOf(option);
  const text = sections.map((other) => {
    const values = sound[other.type]!;
    return renderSection(other, other === spec ? { ...values, [name]: value } : values);
  });
  const section = spec.name ?? `@${spec.type}[0]`;
  return { path: write(text.join('\n')), name: `iotshaper.${section}.${name}` };
}

for (const [option, rule, [value]] of wrong) {
  test.serial(`check: ${option} wrong`, async (t) => {
    const { path, name } = oneWrong(option, value!);
    const { status, stdout, stderr } = await check(path);
    t.is(status, 1);
    t.is(stdout, '');
    const [first, ...others] = stderr.trimEnd().split('\n');
    t.is(first, `${name}: ${rule}, got ${JSON.stringify(value)}`);
    t.deepEqual(
      others.filter((line) => !line.startsWith('warning: ')),
      [],
    );
  });
}

test.serial('check: the built program says what the commands of the sources say', async (t) => {
  const [option, , [value]] = wrong[0]!;
  // Of a netdev that no other test makes meanwhile.
  const own = write(
    readFileSync(good, 'utf8').replace("'tunnel'\n", "'tunnel'\n\toption interface 'iotcheck0'\n"),
  );
  t.is((await check(own)).status, 0);
  for (const path of [oneWrong(option, value!).path, own, join(folder, 'none')]) {
    t.deepEqual(await check(path, startIotshaper), await check(path));
  }
});

test.serial('check --json: all wrong at once, each with its path and value', async (t) => {
  const text = sections
    .map((spec) => {
      const values = wrong
        .filter(([option]) => specOf(option)[0] === spec)
        .map(([option, , [value]]) => [specOf(option)[1], value!]);
      return renderSection(spec, Object.fromEntries(values));
    })
    .join('\n');
  const { status, stdout, stderr } = await iotshaper('check', '--json', write(text));
  t.is(status, 1);
  t.is(stderr, '');
  const result = JSON.parse(stdout) as ConfigStatus;
  t.false(result.ok);
  t.deepEqual(
    result.errors.map(({ path, value }) => [path.split('.').at(-1), value]).sort(),
    wrong.map(([option, , [value]]) => [option.split('.')[1], value]).sort(),
  );
});

test.serial('check: valid', async (t) => {
  const plain = await check(good);
  t.deepEqual(plain, { status: 0, stdout: `${good}: valid\n`, stderr: '' });
  const json = await iotshaper('check', good, '--json');
  t.deepEqual(JSON.parse(json.stdout), {
    ok: true,
    errors: [],
    warnings: [],
    warning_notices: [],
  });
  t.is(json.status, 0);
});

test.serial('check: the configuration the package brings is valid', async (t) => {
  t.is((await iotshaper('check', 'files/etc/config/iotshaper')).status, 0);
});

test.serial('check: as typed with uci set, with a warning, and not', async (t) => {
  const typed = readFileSync(good, 'utf8');
  const warned = await iotshaper('check', write(`${typed}\nconfig 40 'rate'\n\nconfig colour\n`));
  t.is(warned.status, 0);
  t.regex(warned.stderr, /^warning: iotshaper\.@colour\[0\]: unknown section type "colour"/);
  const wrongRate = await iotshaper('check', write(`${typed}\nconfig fast 'rate'\n`));
  t.is(wrongRate.status, 1);
  t.regex(wrongRate.stderr, /^iotshaper\.rate: must be between .* got "fast"\n$/);
});

test.serial('what can’t be read is named', async (t) => {
  for (const [words, said] of [
    [['check', join(folder, 'none')], `${join(folder, 'none')}: can't be read (ENOENT)`],
    [['print', folder], `${folder}: can't be read (EISDIR)`],
    [['print', '--uci', join(folder, 'none')], `${join(folder, 'none')}: ENOENT`],
    [['check', write("config a 'b")], "iotshaper: Parse error (EOF with unterminated ')"],
    [['print', '--uci', write("config a 'b")], "uci: Parse error (EOF with unterminated ')"],
    [['check', write(Buffer.from([1, 255, 0]))], 'iotshaper: Parse error'],
  ] as [string[], string][]) {
    const { status, stdout, stderr } = await iotshaper(...words);
    t.is(status, 1, words.join(' '));
    t.is(stdout, '');
    t.true(stderr.includes(said), stderr);
    t.false(hasStackTrace(stderr), stderr);
  }
});

test.serial('print: every artefact, no key', async (t) => {
  const { status, stdout, stderr } = await iotshaper('print', good);
  t.is(status, 0);
  t.is(stderr, '');
  const parts = stdout.split(/^# ---- (.*)\n/m);
  t.deepEqual(
    parts.filter((_, index) => index % 2 === 1),
    ['nft', 'tc', 'clock', 'routes', 'openvpn'],
  );
  const files = ['rules.nft', 'queue.tc', 'clock.tc', 'routes', 'openvpn.conf'];
  for (const [index, file] of files.entries()) {
    const golden = readFileSync(`test/golden/home/default/${file}`, 'utf8');
    t.is(parts[2 * index + 2], `${golden}\n`, file);
  }
  t.false(stdout.includes('PRIVATE KEY'));
  const secrets = readFileSync(profile, 'utf8').match(/(?<=PRIVATE KEY-----\n|control-key ).+/g);
  t.is(secrets?.length, 3, 'the control key, the key, the end of its block');
  for (const secret of [secrets![0]!, secrets![1]!]) t.false(stdout.includes(secret));
});

test.serial('print: a wrong configuration prints nothing but what is wrong', async (t) => {
  const { path, name } = oneWrong('iotshaper.rate', 'fast');
  const { status, stdout, stderr } = await iotshaper('print', path);
  t.is(status, 1);
  t.is(stdout, '');
  t.true(stderr.startsWith(`iotshaper: ${name}: must be between`), stderr);
});

test.serial('print --uci: as uci export has it', async (t) => {
  const fixtures = readdirSync('test/fixtures/uci');
  for (const name of ['default', 'quirk-not-utf8', 'set-as-typed', 'err-bad-name']) {
    const { status, stdout, stderr } = await startIotshaper(
      'print',
      '--uci',
      `test/fixtures/uci/${name}.uci`,
    );
    if (fixtures.includes(`${name}.export`)) {
      t.is(stderr, '');
      t.is(status, 0);
      t.is(stdout, readFileSync(`test/fixtures/uci/${name}.export`, 'utf8'));
    } else {
      t.is(status, 1);
      t.is(stdout, '');
      t.regex(stderr, /^iotshaper: uci: Parse error \(.+\) at line \d+, byte \d+\n$/);
    }
  }
});
