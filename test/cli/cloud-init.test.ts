// What is pasted when a server is ordered: YAML that cloud-init takes, and commands that there are.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import test, { type ExecutionContext } from 'ava';
import { cloudCommands } from '../../src/core/endpoint/cloud-config.ts';
import { buildProgram } from '../../src/shell/cli/program.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { CapturedConsole } from './captured-console.ts';
import { iotshaper } from './program.ts';

const FROM = 'https://example.org/iot-shaper-endpoint_1.0_all.deb';

/** ava brings a reader of YAML. */
function parseYaml(text: string): unknown {
  const required = createRequire(createRequire(import.meta.url).resolve('ava'));
  return (required('js-yaml') as { load(yaml: string): unknown }).load(text);
}

async function print(t: ExecutionContext, ...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await iotshaper('endpoint', 'cloud-init', ...words);
  t.is(status, 0, stderr);
  t.is(stderr, '');
  return stdout;
}

for (const words of [
  ['--from', FROM],
  [
    '--from',
    '/opt/iot-shaper-endpoint_1.0_all.deb',
    '--host',
    'vps.example.org',
    '--port',
    '443',
    '--home',
    'cottage',
  ],
]) {
  test(`is what cloud-init reads: ${words.join(' ')}`, async (t) => {
    const text = await print(t, ...words);
    t.true(text.startsWith('#cloud-config\n'), 'by its first line it is known');
    const config = parseYaml(text) as { packages: string[]; runcmd: string[] };
    t.deepEqual(Object.keys(config), ['package_update', 'packages', 'runcmd']);
    t.true(config.runcmd.every((command) => typeof command === 'string'));
    for (const command of config.runcmd) {
      t.notThrows(() => execFileSync('sh', ['-n', '-c', command]), command);
    }
  });
}

test('each command of the program is one, with options that it has', async (t) => {
  const program = await buildProgram({ system: nodeSystem, console: new CapturedConsole() });
  const endpoint = program.commands.find((command) => command.name() === 'endpoint')!;
  const input = { from: FROM, host: null, port: 1194, home: 'myhome' };
  const own = cloudCommands(input).flatMap((line) => [
    ...line.matchAll(/iotshaper endpoint (.+)/g),
  ]);
  t.deepEqual(
    own.map(([, words]) => words!.split(' ')[0]),
    ['init', 'add-home', 'doctor'],
  );
  for (const [, words] of own) {
    const [name, ...rest] = words!.split(' ');
    const command = endpoint.commands.find((one) => one.name() === name)!;
    const known = command.options.map(({ long }) => long);
    for (const word of rest) if (word.startsWith('--')) t.true(known.includes(word), word);
  }
});

test('both packages are fetched from one place, and installed together', (t) => {
  const input = { host: null, port: 1194, home: 'myhome' };
  t.deepEqual(cloudCommands({ ...input, from: `${FROM}?token=1` }).slice(0, 3), [
    "wget --no-verbose --output-document /root/iot-shaper-common.deb 'https://example.org/iot-shaper-common_1.0_all.deb?token=1'",
    "wget --no-verbose --output-document /root/iot-shaper-endpoint.deb 'https://example.org/iot-shaper-endpoint_1.0_all.deb?token=1'",
    'apt-get install --yes --no-install-recommends /root/iot-shaper-common.deb /root/iot-shaper-endpoint.deb',
  ]);
  t.is(
    cloudCommands({ ...input, from: '/opt/iot-shaper-endpoint_1.0_all.deb' })[0],
    'apt-get install --yes --no-install-recommends /opt/iot-shaper-common_1.0_all.deb /opt/iot-shaper-endpoint_1.0_all.deb',
  );
});

test('what the comments name is what the commands make', async (t) => {
  const text = await print(t, '--from', FROM, '--host', '192.0.2.7', '--home', 'cottage');
  t.regex(text, /--out \/root\/cottage\.ovpn"/);
  t.regex(text, /^# .*ssh root@192\.0\.2\.7 cat \/root\/cottage\.ovpn >cottage\.ovpn\)$/m);
  t.regex(text, /init --host 192\.0\.2\.7 --port 1194"/);
  t.regex(text, /open UDP port 1194/);
});

for (const [words, said] of [
  [['--from', 'http://example.org/x.deb'], /'--from <address>' .* must be an address that begins/],
  [['--from', "https://example.org/'; rm -rf /"], /'--from <address>'/],
  [['--from', 'x.deb'], /'--from <address>'/],
  [['--from', '/root/x.tar'], /'--from <address>'/],
  [['--from', 'https://example.org/x.deb'], /must name the file iot-shaper-endpoint_VERSION_all/],
  [['--from', FROM, '--host', 'a b'], /'--host <host>'/],
  [['--from', FROM, '--home', '../x'], /'--home <name>'/],
  [[], /required option '--from <address>'/],
] as const) {
  test(`refused: ${words.join(' ')}`, async (t) => {
    const { status, stdout, stderr } = await iotshaper('endpoint', 'cloud-init', ...words);
    t.is(status, 2);
    t.is(stdout, '');
    t.regex(stderr, said);
  });
}
