// What a profile may hold: every refusal by name and line, nothing smuggled past, nothing thrown.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { wordsOf } from '../../src/core/notices/words.ts';
import { checkProfile, type Profile } from '../../src/core/openvpn/profile.ts';
import { splitWords } from '../../src/core/openvpn/profile-text.ts';
import { formatRemote } from '../../src/core/openvpn/remote.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';

const sound = readFileSync('test/fixtures/openvpn/home.ovpn', 'utf8');

function check(text: string) {
  return checkProfile(text, pemReader);
}

/** The profile in a text that has to be taken. */
function profileOf(text: string): Profile {
  const verdict = check(text);
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems));
  return verdict.profile;
}

function problemsOf(text: string) {
  const verdict = check(text);
  if (verdict.ok) return [];
  return verdict.problems.map((one) => ({ line: one.line, message: wordsOf(one) }));
}

/** The sound profile with one more line, its second. */
function withLine(line: string): string {
  return sound.replace('client\n', `${line}\nclient\n`);
}

const fingerprint = /<peer-fingerprint>\n(.*)\n/.exec(sound)![1]!;
const blockOf = (tag: string): string => sound.split(`<${tag}>\n`)[1]!.split(`</${tag}>`)[0]!;

test('what add-home prints is taken, whole', (t) => {
  t.deepEqual(profileOf(sound), {
    remotes: [{ host: 'vps.example.org', port: 1194, proto: 'udp' }],
    identity: { certificate: blockOf('cert'), key: blockOf('key') },
    trust: { fingerprints: [fingerprint], ca: [], name: null },
    dataCiphers: ['AES-256-GCM', 'CHACHA20-POLY1305'],
    tlsVersionMin: '1.2',
    controlKey: Uint8Array.from({ length: 32 }, (_, i) => i),
    inside: {
      tunnel: '10.213.0.0/24',
      inner4: '10.214.0.0/16',
      inner6: 'fd12:3456:789a::/48',
    },
  });
});

const program = 'runs a program on the router; remove it';
const code = 'loads foreign code into OpenVPN; remove it';
const size = 'compression gives contents away by their size; remove it';
const tcp = "must be udp; TCP can't keep packets on schedule";
const unknown = 'is not a directive iot-shaper allows; remove it';
const ciphers = 'must be of AES-256-GCM, AES-192-GCM, AES-128-GCM, CHACHA20-POLY1305';
const noUse = 'an iot-shaper endpoint has no use for it; remove it';
const negotiated = 'is agreed on by the endpoint and the router; remove it';

const refused: [line: string, message: string][] = [
  ...[
    'up /tmp/x',
    'down /tmp/x',
    'up-restart',
    'down-pre',
    'route-up x',
    'route-pre-down x',
    'ipchange x',
    'tls-verify x',
    'auth-user-pass-verify x via-env',
    'client-connect x',
    'client-disconnect x',
    'client-crresponse x',
    'learn-address x',
    'tls-crypt-v2-verify x',
    'script-security 2',
    'iproute /tmp/ip',
    'dns-updown x',
  ].map((line): [string, string] => [line, `${line}: ${program}`]),
  ...['plugin /tmp/x.so', 'engine x', 'providers x', 'pkcs11-providers x', 'pkcs11-id x'].map(
    (line): [string, string] => [line, `${line}: ${code}`],
  ),
  ...['comp-lzo', 'compress lz4', 'comp-noadapt', 'allow-compression yes'].map(
    (line): [string, string] => [line, `${line}: ${size}`],
  ),
  ...['proto tcp', 'proto tcp-client', 'proto-force tcp', 'proto'].map((line): [string, string] => [
    line,
    `${line}: ${tcp}`,
  ]),
  ['dev tap', 'dev tap: must be tun'],
  ['dev-type tap', 'dev-type tap: must be tun'],
  ['port 0', 'port 0: must be a port from 1 to 65535'],
  ['rport http', 'rport http: must be a port from 1 to 65535'],
  ['cipher BF-CBC', `cipher BF-CBC: ${ciphers}`],
  ['data-ciphers AES-256-GCM:none', `data-ciphers AES-256-GCM:none: ${ciphers}`],
  ['data-ciphers', `data-ciphers: ${ciphers}`],
  ['ca /etc/ca.crt', 'ca /etc/ca.crt: names a file; put its contents between <ca> and </ca>'],
  ...['tls-auth ta.key 1', 'tls-crypt ta.key', 'key-direction 1', 'auth-user-pass'].map(
    (line): [string, string] => [line, `${line}: ${noUse}`],
  ),
  ...['tls-ciphersuites X', 'tls-groups X25519', 'tls-cipher DEFAULT', 'tls-version-max 1.2'].map(
    (line): [string, string] => [line, `${line}: ${negotiated}`],
  ),
  ['client x', 'client x: takes no value; remove what follows it'],
  ['tls-version-min 1.0', 'tls-version-min 1.0: must be 1.2 or 1.3'],
  ['tls-version-min 1.3 or-highest', 'tls-version-min 1.3 or-highest: must be 1.2 or 1.3'],
  ['remote-cert-tls client', 'remote-cert-tls client: must be server'],
  [
    'data-ciphers AES-128-GCM',
    'data-ciphers AES-128-GCM: must hold AES-256-GCM or CHACHA20-POLY1305, which endpoints offer',
  ],
  ...[
    'route 0.0.0.0 0.0.0.0',
    'redirect-gateway def1',
    'dhcp-option DNS 8.8.8.8',
    'management /tmp/x unix',
    'config /etc/passwd',
    'http-proxy 10.0.0.1 8080',
    'socks-proxy 10.0.0.1',
    'log /etc/passwd',
    'writepid /etc/passwd',
    'daemon',
    'user nobody',
    'cd /',
    'setenv PATH /tmp',
  ].map((line): [string, string] => [line, `${line}: ${unknown}`]),
  ['"up /tmp/x', 'has a quotation mark without its pair; remove it'],
  ['"up" /tmp/x', `up /tmp/x: ${program}`],
  ["'plugin' x", `plugin x: ${code}`],
  ['--up /tmp/x', `up /tmp/x: ${program}`],
  ['   up\t/tmp/x   # harmless', `up /tmp/x: ${program}`],
  // What is no name known could be a line of a key.
  ...[
    'nosuchdirective',
    '<ca',
    'constructor',
    '__proto__ x',
    'UP /tmp/x',
    '""',
    'MIGHAgEAMBMG',
  ].map((line): [string, string] => [line, unknown]),
  ['</ca>', '</ca>: closes a block that is not open'],
  [
    `auth ${'x'.repeat(300)}`,
    'is longer than 250 bytes, which OpenVPN does not read as one line; copy the profile as the endpoint printed it',
  ],
];

for (const [line, message] of refused) {
  test(`refused: ${line.slice(0, 40)}`, (t) => {
    t.deepEqual(problemsOf(withLine(line)), [{ line: 2, message }]);
  });
}

const taken = [
  'verb 3',
  'persist-tun',
  'tun-mtu 1500',
  'allow-compression no',
  'cipher aes-256-gcm',
  'data-ciphers-fallback AES-128-GCM',
  'proto udp4',
  'dev tun7',
  'port 1195',
  'remote-cert-tls server',
  'verify-x509-name "iotshaper endpoint" name',
  'auth SHA256',
  'resolv-retry infinite',
  '# up /tmp/x',
  '; up /tmp/x',
  'nobind # comment',
  '# größer als\u2028up /tmp/x',
  'nobind # schön',
];

for (const line of taken) {
  test(`taken: ${line.split('\n')[0]}`, (t) => {
    t.deepEqual(problemsOf(withLine(line)), []);
  });
}

const places: [remote: string, place: string][] = [
  ['remote 192.0.2.1', '192.0.2.1:1194'],
  ['remote 2001:db8::1 443 udp6', '[2001:db8::1]:443'],
  ['remote vps.example.org\nport 1200', 'vps.example.org:1200'],
  ['port 1200\nremote vps.example.org 1201', 'vps.example.org:1201'],
];

for (const [remote, place] of places) {
  test(`${remote.replace('\n', ', ')} leads to ${place}`, (t) => {
    const { remotes } = profileOf(sound.replace(/^remote .*$/m, remote));
    t.deepEqual(remotes.map(formatRemote), [place]);
  });
}

const badRemotes: [remote: string, message: string][] = [
  ['remote', "remote: must name the endpoint's host"],
  ['remote -x', "remote -x: must name the endpoint's host"],
  ['remote "a b"', "remote a b: must name the endpoint's host"],
  ['remote a$(reboot)', "remote a$(reboot): must name the endpoint's host"],
  ['remote a 65536', 'remote a 65536: must be a port from 1 to 65535'],
  ['remote a 1194 tcp', `remote a 1194 tcp: ${tcp}`],
];

for (const [remote, message] of badRemotes) {
  test(`refused: ${remote}`, (t) => {
    const problems = problemsOf(sound.replace(/^remote .*$/m, remote));
    t.deepEqual(problems, [
      { line: 5, message },
      { line: 0, message: 'has no "remote" line that names the endpoint' },
    ]);
  });
}

test('remotes keep their order, with port and protocol of their own or the profile’s', (t) => {
  const lines =
    'proto udp4\nport 1200\nremote a.example\nremote b.example 53 udp6\nremote a.example 1';
  t.deepEqual(profileOf(sound.replace(/^proto .*\nremote .*$/m, lines)).remotes, [
    { host: 'a.example', port: 1200, proto: 'udp4' },
    { host: 'b.example', port: 53, proto: 'udp6' },
    { host: 'a.example', port: 1, proto: 'udp4' },
  ]);
});

test('what is missing or stands twice is named', (t) => {
  t.deepEqual(
    problemsOf('').map(({ message }) => message),
    [
      'this profile has no control key: on the server, update iot-shaper-endpoint, run "iotshaper endpoint remove-home NAME" and "iotshaper endpoint add-home NAME", then upload the new profile',
      'has no "remote" line that names the endpoint',
      'has no <cert> block; upload the whole profile the endpoint printed',
      'has no <key> block; upload the whole profile the endpoint printed',
      'has neither <peer-fingerprint> nor <ca>, so the endpoint could be anyone; upload the whole profile the endpoint printed',
    ],
  );
  t.deepEqual(problemsOf(`${sound}<cert>\nx\n</cert>\n`), [
    { line: 38, message: '<cert>: stands twice; keep one' },
  ]);
  t.deepEqual(problemsOf(withLine('<connection>\nremote b\n</connection>')), [
    { line: 2, message: `<connection>: ${noUse}` },
  ]);
  t.deepEqual(problemsOf(withLine('<nosuch>\nx\n</nosuch>')), [
    { line: 2, message: 'opens a block that is not allowed; remove it' },
  ]);
  t.deepEqual(problemsOf(`${sound}<ca>\nx\n`), [{ line: 38, message: '<ca>: has no end (</ca>)' }]);
});

test('a profile of another VPN is told from one of an old endpoint', (t) => {
  const foreign = [
    ...['client', 'dev tun', 'proto udp', 'remote nl.vpn.example 1194', 'auth-user-pass'],
    ...['comp-lzo', 'redirect-gateway def1', 'up /etc/openvpn/update-resolv-conf', 'route-nopull'],
    ...['<tls-auth>', 'f00d', '</tls-auth>'],
  ];
  const problems = problemsOf(foreign.join('\n'));
  t.deepEqual(
    problems.map(({ line }) => line).filter((line) => line > 0),
    [5, 6, 7, 8, 9, 10],
  );
  t.true(
    problems.some(
      ({ line, message }) => line === 0 && /^this is a profile of another VPN/.test(message),
    ),
  );
  t.false(problems.some(({ message }) => /no control key|f00d/.test(message)));
});

test('a block ends for us where it ends for OpenVPN', (t) => {
  // OpenVPN looks at the beginning of a line only, and cuts lines of more than 255 bytes (read_inline_file).
  t.deepEqual(problemsOf(withLine('<ca>\nx\n  </ca>x\nup /tmp/x\n</ca>')).slice(0, -1), [
    { line: 2, message: '<ca>: is empty; upload the whole profile the endpoint printed' },
    { line: 4, message: 'the end of <ca>: must stand alone on its line' },
    { line: 5, message: `up /tmp/x: ${program}` },
  ]);
  const message =
    'is longer than 250 bytes, which OpenVPN does not read as one line; copy the profile as the endpoint printed it';
  const long = `<ca>\n${'A'.repeat(255)}</ca>\nup /tmp/x\n</ca>`;
  t.true(problemsOf(withLine(long)).some((one) => one.line === 3 && one.message === message));
});

test('words are cut as OpenVPN cuts them', (t) => {
  for (const [line, words] of [
    ['a "b c" \'d "e\' f"g #h', ['a', 'b c', 'd "e', 'f"g']],
    ['a;b ;c', ['a;b']],
    ['"a"b', ['a', 'b']],
    ['\t""\t', ['']],
    ['a\u00a0b', ['a\u00a0b']],
    ['', []],
  ] as [string, string[]][]) {
    t.deepEqual(splitWords(line)?.words, words, line);
  }
  t.is(splitWords('a "b'), null);
  t.is(splitWords('a \'b"'), null);
});

test('what is no text or too large is refused at once', (t) => {
  t.deepEqual(problemsOf('\0'.repeat(10)), [
    { line: 1, message: 'holds a control character; upload the file as the endpoint printed it' },
  ]);
  t.deepEqual(problemsOf('é'.repeat(60_000)), [
    { line: 0, message: 'the profile is larger than 100000 bytes' },
  ]);
  // Thousands of faults must not take a router's minute, nor its page.
  const startMs = performance.now();
  for (const text of ['<a>\n</a>\n'.repeat(11_000), '<a>\n'.repeat(24_000), 'x\n'.repeat(49_000)]) {
    const problems = problemsOf(text);
    t.is(problems.length, 51);
    t.regex(problems.at(-1)!.message, /^and \d{4,5} more faults; is this the profile/);
  }
  const begins = '-----BEGIN X-----\n'.repeat(5000);
  t.true(problemsOf(withLine(`<ca>\n${begins}</ca>`)).length > 0);
  t.true(performance.now() - startMs < 20_000);
});
