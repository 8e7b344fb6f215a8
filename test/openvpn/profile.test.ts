// What a profile may hold: every refusal by name and line, nothing smuggled past, nothing thrown.
import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { checkProfile } from '../../src/openvpn/profile.ts';

const sound = readFileSync('test/fixtures/openvpn/home.ovpn', 'utf8');

function problemsOf(text: string) {
  const verdict = checkProfile(text);
  return verdict.ok ? [] : verdict.problems;
}

/** The sound profile with one more line, its second. */
function withLine(line: string): string {
  return sound.replace('client\n', `${line}\nclient\n`);
}

test('what add-home prints is taken, whole', (t) => {
  const verdict = checkProfile(sound);
  if (!verdict.ok) return t.fail(JSON.stringify(verdict.problems));
  const { remoteHost, remotePort, lines } = verdict.profile;
  t.is(`${remoteHost}:${remotePort}`, 'vps.example.org:1194');
  const kept = sound.split('\n').filter((line) => !/^(#|dev |proto |remote |$)/.test(line));
  t.deepEqual(lines, kept);
});

const program = 'runs a program on the router; remove it';
const code = 'loads foreign code into OpenVPN; remove it';
const size = 'compression gives contents away by their size; remove it';
const tcp = "must be udp; TCP can't keep packets on schedule";
const unknown = 'is not a directive iot-shaper allows; remove it';
const ciphers = 'must be one of AES-256-GCM, AES-192-GCM, AES-128-GCM, CHACHA20-POLY1305, got';

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
  ['cipher BF-CBC', `cipher BF-CBC: ${ciphers} "BF-CBC"`],
  ['data-ciphers AES-256-GCM:none', `data-ciphers AES-256-GCM:none: ${ciphers} "none"`],
  ['data-ciphers', `data-ciphers: ${ciphers} ""`],
  ['ca /etc/ca.crt', 'ca /etc/ca.crt: names a file; put its contents between <ca> and </ca>'],
  [
    'tls-auth ta.key 1',
    'tls-auth ta.key 1: names a file; put its contents between <tls-auth> and </tls-auth>',
  ],
  ...[
    'route 0.0.0.0 0.0.0.0',
    'redirect-gateway def1',
    'dhcp-option DNS 8.8.8.8',
    'management /tmp/x unix',
    'config /etc/passwd',
    'auth-user-pass',
    'http-proxy 10.0.0.1 8080',
    'socks-proxy 10.0.0.1',
    'log /etc/passwd',
    'writepid /etc/passwd',
    'daemon',
    'user nobody',
    'cd /',
    'setenv PATH /tmp',
    'nosuchdirective',
    '</ca>',
    '<ca',
    'constructor',
    '__proto__ x',
  ].map((line): [string, string] => [line, `${line}: ${unknown}`]),
  ['"up /tmp/x', 'has a quotation mark without its pair'],
  ['"up" /tmp/x', `up /tmp/x: ${program}`],
  ["'plugin' x", `plugin x: ${code}`],
  ['--up /tmp/x', `up /tmp/x: ${program}`],
  ['   up\t/tmp/x   # harmless', `up /tmp/x: ${program}`],
  ['UP /tmp/x', `UP /tmp/x: ${unknown}`],
  ['""', `: ${unknown}`],
  [
    `auth ${'x'.repeat(300)}`,
    `auth ${'x'.repeat(74)}…: is longer than 250 bytes, which OpenVPN does not read as one line`,
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
  'verify-x509-name "C=DE, CN=a \\"b\\""',
  '# up /tmp/x',
  '; up /tmp/x',
  'nobind # comment',
  '<ca>\n-----BEGIN CERTIFICATE-----\nup /tmp/x\n-----END CERTIFICATE-----\n</ca>',
];

for (const line of taken) {
  test(`taken: ${line.split('\n')[0]}`, (t) => {
    t.deepEqual(problemsOf(withLine(line)), []);
  });
}

test('what iotshaper sets itself is not handed on', (t) => {
  for (const line of taken.slice(0, 8)) {
    const verdict = checkProfile(withLine(line));
    t.true(verdict.ok && !verdict.profile.lines.includes(line), line);
  }
});

test('words are handed on as OpenVPN reads them', (t) => {
  const verdict = checkProfile(withLine('verify-x509-name "C=DE, CN=a \\"b\\" \\\\" name'));
  t.true(verdict.ok);
  t.is(verdict.ok && verdict.profile.lines[0], 'verify-x509-name "C=DE, CN=a \\"b\\" \\\\" name');
});

const places: [remote: string, place: string][] = [
  ['remote 192.0.2.1', '192.0.2.1:1194'],
  ['remote 2001:db8::1 443 udp6', '2001:db8::1:443'],
  ['remote vps.example.org\nport 1200', 'vps.example.org:1200'],
  ['port 1200\nremote vps.example.org 1201', 'vps.example.org:1201'],
];

for (const [remote, place] of places) {
  test(`${remote.replace('\n', ', ')} leads to ${place}`, (t) => {
    const verdict = checkProfile(sound.replace(/^remote .*$/m, remote));
    if (!verdict.ok) return t.fail(JSON.stringify(verdict.problems));
    t.is(`${verdict.profile.remoteHost}:${verdict.profile.remotePort}`, place);
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

test('what is missing or stands twice is named', (t) => {
  t.deepEqual(
    problemsOf('').map(({ message }) => message),
    [
      'has no "remote" line that names the endpoint',
      'has no <cert> block; upload the whole profile the endpoint printed',
      'has no <key> block; upload the whole profile the endpoint printed',
      'has neither <peer-fingerprint> nor <ca>: the endpoint could be anyone',
    ],
  );
  t.deepEqual(problemsOf(withLine('remote b')), [
    { line: 0, message: 'has more than one "remote" line; keep one' },
  ]);
  t.deepEqual(problemsOf(`${sound}<cert>\nx\n</cert>\n`), [
    { line: 22, message: '<cert>: stands twice; keep one' },
  ]);
  t.deepEqual(problemsOf(withLine('<connection>\nremote b\n</connection>')), [
    { line: 2, message: '<connection>: is not allowed in a profile; remove it' },
  ]);
  t.deepEqual(problemsOf(`${sound}<ca>\nx\n`), [
    { line: 22, message: '<ca>: has no closing </ca>' },
  ]);
});

test('a block ends for us where it ends for OpenVPN', (t) => {
  // OpenVPN looks at the beginning of a line only, and cuts lines of more than 255 bytes (options.c, read_inline_file).
  t.deepEqual(problemsOf(withLine('<ca>\nx\n  </ca>x\nup /tmp/x\n</ca>')), [
    { line: 4, message: '</ca>: must stand alone on its line' },
    { line: 5, message: `up /tmp/x: ${program}` },
    { line: 6, message: `</ca>: ${unknown}` },
  ]);
  const message = 'is longer than 250 bytes, which OpenVPN does not read as one line';
  t.deepEqual(problemsOf(withLine(`<ca>\nx\n${'A'.repeat(255)}</ca>\nup /tmp/x\n</ca>`)), [
    { line: 4, message },
  ]);
  t.deepEqual(problemsOf(withLine(`<ca>\n${'ä'.repeat(126)}\n</ca>`)), [{ line: 3, message }]);
});

test('ends of lines, a byte order mark and blanks make no difference', (t) => {
  const plain = checkProfile(sound);
  t.deepEqual(checkProfile(sound.replaceAll('\n', '\r\n')), plain);
  t.deepEqual(checkProfile(`\ufeff${sound}`), plain);
  t.deepEqual(checkProfile(sound.replaceAll('\n', '  \n')), plain);
});

test('what is no text or too large is refused at once', (t) => {
  t.deepEqual(problemsOf('\0'.repeat(10)), [
    { line: 1, message: 'holds a control character; upload the file as the endpoint printed it' },
  ]);
  t.is(problemsOf(`${sound}a\rup /tmp/x`).length, 1);
  t.deepEqual(problemsOf('é'.repeat(60_000)), [
    { line: 0, message: 'the profile is larger than 100000 bytes' },
  ]);
  // Thousands of blocks must not take a router's minute.
  const startMs = performance.now();
  t.true(problemsOf('<a>\n</a>\n'.repeat(11_000)).length > 10_000);
  t.true(performance.now() - startMs < 2000);
});

const directives = fc.constantFrom(
  ...['up x', 'plugin x', 'proto udp', 'remote a 1', '<ca>', '</ca>', '<key>', '</key>', '"', "'"],
  ...['\\', '#', ' ', '\n', '\r', '\ufeff', '--', 'verify-x509-name', '</ca>x', 'A'.repeat(256)],
);

test('nothing makes it throw, and what it takes holds no directive that was not read', (t) => {
  const texts = fc.oneof(
    fc.array(directives, { maxLength: 60 }).map((parts) => parts.join('\n')),
    fc.array(directives, { maxLength: 60 }).map((parts) => `${sound}${parts.join('')}`),
    fc.string({ maxLength: 300, unit: 'binary' }),
    fc.array(directives, { maxLength: 8 }).map((parts) => withLine(parts.join('\n'))),
  );
  let taken = 0;
  fc.assert(
    fc.property(texts, (text) => {
      const verdict = checkProfile(text);
      if (!verdict.ok) return verdict.problems.length > 0;
      taken++;
      return directivesAsOpenVpnReads(verdict.profile.lines).every((name) =>
        /^(client|nobind|data-ciphers|tls-version-min|verify-x509-name)$/.test(name),
      );
    }),
    { numRuns: 3000 },
  );
  t.true(taken > 20, `${taken} taken`);
});

/** First words of the lines that OpenVPN takes for directives: those outside blocks. */
function directivesAsOpenVpnReads(lines: readonly string[]): string[] {
  const names: string[] = [];
  let closing: string | null = null;
  for (const line of lines.flatMap((one) => one.match(/.{1,255}/gs) ?? [])) {
    const text = line.replace(/^[ \t\v\f\r]+/, '');
    if (closing !== null) {
      if (text.startsWith(closing)) closing = null;
      continue;
    }
    const open = /^<(.+)>$/.exec(text);
    if (open) closing = `</${open[1]}>`;
    else names.push(text.split(/\s/)[0]!);
  }
  return closing === null ? names : ['unclosed'];
}
