// Ways a profile is spelled, by people, by editors and by those who mean harm: refused with its line, or seen to run.
import { createPrivateKey } from 'node:crypto';

/** What a spelling needs beside the profile that `add-home` printed. */
export interface Material {
  /** As printed; `vps.example.org`, port 1194. */
  text: string;
  /** A key of somebody else, PKCS #8 in PEM. */
  otherKey: string;
  /** Certificate of an authority, in PEM. */
  authority: string;
  /** IPv4 and IPv6 address of the endpoint. */
  host4: string;
  host6: string;
}

interface Spelling {
  name: string;
  spell: (material: Material) => string;
}

export interface RunningSpelling extends Spelling {
  /** Whether it says the same as the profile as printed. */
  isSame: boolean;
}

export interface RefusedSpelling extends Spelling {
  /** Line of the first fault in the profile of test/fixtures; 0 when it is in no one line. */
  line: number;
  message: RegExp;
}

type Change = (text: string, material: Material) => string;

function same(name: string, change: Change): RunningSpelling {
  return { name, spell: (material) => change(material.text, material), isSame: true };
}

function other(name: string, change: Change): RunningSpelling {
  return { name, spell: (material) => change(material.text, material), isSame: false };
}

function refused(name: string, line: number, message: RegExp, change: Change): RefusedSpelling {
  return { name, spell: (material) => change(material.text, material), line, message };
}

/** Puts lines before the second one. */
function add(...lines: string[]): Change {
  return (text) => text.replace('client\n', `${lines.join('\n')}\nclient\n`);
}

/** Puts another body into a block. */
function fill(tag: string, body: (old: string, material: Material) => string): Change {
  return (text, material) => {
    const [head, rest] = text.split(`<${tag}>\n`) as [string, string];
    const [old, tail] = rest.split(`</${tag}>`) as [string, string];
    return `${head}<${tag}>\n${body(old, material)}</${tag}>${tail}`;
  };
}

function replace(from: string | RegExp, to: string): Change {
  return (text) => text.replace(from, to);
}

const remoteLine = /^remote .*$/m;

/** The block of an authority in place of the fingerprint. */
function trustAuthority(text: string, { authority }: Material): string {
  return text.replace(
    /<peer-fingerprint>[\s\S]*<\/peer-fingerprint>\n/,
    `<ca>\n${authority.trim()}\n</ca>\n`,
  );
}

export const running: readonly RunningSpelling[] = [
  same('as printed', (text) => text),
  same('tabs-indent', replace(/^(?=.)/gm, '\t')),
  same('blanks around', replace(/^(.+)$/gm, '  $1 \t')),
  same('crlf', replace(/\n/g, '\r\n')),
  same('bom', (text) => `\ufeff${text}`),
  same('blank lines', replace(/\n/g, '\n\n')),
  same('no-client', replace('client\n', '')),
  same('tls-client and pull', replace('client\n', 'tls-client\npull\n')),
  same('quotes', (text) => text.replace('client', '"client"').replace('dev tun', `'dev' "tun"`)),
  same('dashes', replace(/^(client|dev|nobind)/gm, '--$1')),
  same('comments', replace(/^(client|nobind|dev tun|<\/?(cert|key|ca)>)$/gm, '$1 # größer')),
  same('comments in blocks', replace(/^(<.*>)$/gm, '# vor\n$1\n; nach')),
  same('last line without its end', (text) => text.trimEnd()),
  same('remote-cert-tls', add('remote-cert-tls server')),
  same('name beside a fingerprint', add('verify-x509-name elsewhere name')),
  same('any auth', add('auth nosuchdigest')),
  same('what is set anyway', add('persist-tun', 'verb 3', 'tun-mtu 1500', 'keepalive 10 60')),
  same(
    'lower-case fingerprint',
    fill('peer-fingerprint', (old) => old.toLowerCase()),
  ),
  same(
    'fingerprint twice',
    fill('peer-fingerprint', (old) => `${old}\n${old}`),
  ),
  same(
    'fingerprint in a line',
    replace(/<peer-fingerprint>\n(.*)\n<\/peer-fingerprint>/, 'peer-fingerprint $1'),
  ),
  same(
    'certificate as openssl x509 -text prints it',
    fill('cert', (old) => `Certificate:\n    Data:\n        Version: 3 (0x2)\n${old}`),
  ),
  same(
    'key in one line',
    fill('key', (old) => old.replace(/([^-])\n(?!-)/g, '$1')),
  ),
  same(
    'key as openssl ec prints it',
    fill('key', (old) => String(createPrivateKey(old).export({ type: 'sec1', format: 'pem' }))),
  ),
  same('proto in remote', replace(/^(remote .*)$/m, '$1 udp')),
  same('port apart', (text) => text.replace(/^(remote \S+) (\d+)$/m, 'port $2\n$1')),
  other('udp4', (text, { host4 }) => text.replace(remoteLine, `remote ${host4} 1194 udp4`)),
  other('proto udp4', replace('proto udp', 'proto udp4')),
  other('ipv6-literal', (text, { host6 }) => text.replace(remoteLine, `remote ${host6} 1194`)),
  other('udp6', (text, { host6 }) => text.replace(remoteLine, `remote ${host6} 1194 udp6`)),
  other('second remote', (text, { host4 }) =>
    // Port 9 refuses at once.
    text.replace(remoteLine, `remote ${host4} 9\nremote ${host4} 1194`),
  ),
  other('TLS 1.3 alone', replace('tls-version-min 1.2', 'tls-version-min 1.3')),
  other('one cipher', replace(/^data-ciphers .*$/m, 'data-ciphers chacha20-poly1305:AES-128-GCM')),
  other('ca-instead', trustAuthority),
  other('ca and name', (text, material) =>
    trustAuthority(text, material).replace(
      'client\n',
      'client\nremote-cert-tls server\nverify-x509-name "iotshaper endpoint" name\n',
    ),
  ),
  other('ca beside', (text, { authority }) => `${text}<ca>\n${authority.trim()}\n</ca>\n`),
];

const staticKey = [
  '-----BEGIN OpenVPN Static key V1-----',
  ...Array<string>(16).fill('0123456789abcdef0123456789abcdef'),
  '-----END OpenVPN Static key V1-----',
  '',
].join('\n');

const noUse = /an iot-shaper endpoint has no use for it; remove it$/;
const agreed = /is agreed on by the endpoint and the router; remove it$/;
const notHost = /^remote .+: must name the endpoint's host$/;
const notFingerprint = /must be a SHA-256 fingerprint, 32 bytes/;
const notOne = /^<key>: holds no private key for TLS that can be read; upload/;

/** Blanks of JavaScript's that are none of OpenVPN's. */
export const foreignBlanks: readonly string[] = [
  ...['\u00a0', '\u1680', '\u2000', '\u2003', '\u2028', '\u2029', '\u202f', '\u205f', '\u3000'],
  '\ufeff',
];

/**
 * A certificate's end that OpenVPN does not see, and after it a block that only we would see: OpenVPN takes its first line
 * for the certificate's and the directives in it for directives.
 */
export const smuggled = (blank: string, directive: string): string =>
  `${blank}</cert>\n<ca>\n</cert>\n${directive}\n<ca>\n</ca>\n`;

export const refusals: readonly RefusedSpelling[] = [
  refused('host-dots', 5, notHost, replace(remoteLine, 'remote ... 1194')),
  refused('host of digits', 5, notHost, replace(remoteLine, 'remote 12345 1194')),
  refused('host like 0x7f.1', 5, notHost, replace(remoteLine, 'remote 0x7f.1 1194')),
  refused('host with zone', 5, notHost, replace(remoteLine, 'remote fe80::1%eth0 1194')),
  refused(
    'host in brackets',
    5,
    /without brackets$/,
    replace(remoteLine, 'remote [2001:db8::1] 1194'),
  ),
  refused(
    'other family',
    5,
    /^remote: .* other family than udp6; use udp$/,
    replace(remoteLine, 'remote 192.0.2.1 1194 udp6'),
  ),
  refused('17 remotes', 21, /^has more than 16 "remote" lines/, (text) =>
    text.replace(remoteLine, Array(17).fill('remote 192.0.2.1 1194').join('\n')),
  ),
  refused(
    'verify-smuggle-quote',
    2,
    /^verify-x509-name .*: must be the common name/,
    add('verify-x509-name "a\\" name\\nup x" name'),
  ),
  refused('verify-badtype', 2, /then the word "name"$/, add('verify-x509-name endpoint bogus')),
  refused('verify without type', 2, /then the word "name"$/, add('verify-x509-name endpoint')),
  refused(
    'empty-cert',
    19,
    /^<cert>: is empty; upload/,
    fill('cert', () => ''),
  ),
  refused(
    'two certificates',
    19,
    /^<cert>: holds more than one/,
    fill('cert', (old) => old + old),
  ),
  refused('cert-garbage', 20, /^<cert>: holds something else than a certificate/, (text) =>
    text.replace(/(-----BEGIN CERTIFICATE-----\n)MII/, '$1AAA'),
  ),
  refused('a key for a certificate', 20, /^<cert>: holds something else/, (text) => {
    const key = /<key>\n([\s\S]*)<\/key>/.exec(text)![1]!;
    return text.replace(/(<cert>\n)[\s\S]*(<\/cert>)/, `$1${key}$2`);
  }),
  refused(
    'key-truncated',
    32,
    /^<key>: is cut short/,
    fill('key', (old) => old.split('\n').slice(0, 3).join('\n').concat('\n')),
  ),
  refused(
    'key without its last line',
    32,
    notOne,
    fill('key', (old) => old.replace(/\n[^\n]*(\n-----END)/, '$1')),
  ),
  refused('key-garbage', 34, /^<key>: is no line of a certificate or key; copy it again$/, (text) =>
    text.replace(/(BEGIN PRIVATE KEY-----\n.*\n)./, '$1*'),
  ),
  refused(
    'empty-key',
    31,
    /^<key>: is empty; upload/,
    fill('key', () => ''),
  ),
  refused(
    'two keys',
    31,
    /^<key>: must hold one key/,
    fill('key', (old) => old + old),
  ),
  refused(
    'encrypted key',
    32,
    /^<key>: is locked with a password, .* "openssl pkey -in FILE"$/,
    fill('key', (old) =>
      String(
        createPrivateKey(old).export({
          ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
        } as const),
      ),
    ),
  ),
  refused(
    'encrypted key, old form',
    32,
    /^<key>: is locked with a password/,
    fill('key', (old) =>
      String(
        createPrivateKey(old).export({
          ...{ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
        } as const),
      ),
    ),
  ),
  refused(
    'mismatch-key',
    31,
    /^<key>: this key and the certificate are no pair; upload/,
    fill('key', (_, { otherKey }) => otherKey),
  ),
  refused(
    'fp-empty',
    16,
    /^<peer-fingerprint>: is empty; it must/,
    fill('peer-fingerprint', () => ''),
  ),
  refused(
    'fp-sha1',
    17,
    notFingerprint,
    fill('peer-fingerprint', (old) => `${old.slice(0, 59)}\n`),
  ),
  refused(
    'fp-named',
    17,
    notFingerprint,
    fill('peer-fingerprint', (old) => `sha256=${old}`),
  ),
  refused('no trust', 0, /^has neither <peer-fingerprint> nor <ca>/, (text) =>
    text.replace(/<peer-fingerprint>[\s\S]*<\/peer-fingerprint>\n/, ''),
  ),
  refused('tls-auth+dir', 2, noUse, add('key-direction 1', `<tls-auth>\n${staticKey}</tls-auth>`)),
  refused('tls-crypt', 2, noUse, add(`<tls-crypt>\n${staticKey}</tls-crypt>`)),
  refused('tls-crypt-garbage', 2, noUse, add('<tls-crypt>\nx\n</tls-crypt>')),
  refused('keydir-9', 2, noUse, add('key-direction 9')),
  refused('client-extra', 2, /^client x: takes no value/, replace('client\n', 'client x\n')),
  refused('tvm-9', 2, /^tls-version-min 9: must be 1\.2 or 1\.3$/, add('tls-version-min 9')),
  refused('tls-ciphersuites-bogus', 2, agreed, add('tls-ciphersuites bogus')),
  refused('tls-groups', 2, agreed, add('tls-groups X25519')),
  refused('lsep', 2, /^holds the character U\+2028; /, replace('client\n', 'client\u2028up x\n')),
  refused(
    'upper-case tag',
    31,
    /^<key>: must be written in lower case$/,
    replace('<key>', '<KEY>'),
  ),
  refused('upper-case end', 37, /^the end of <key>: must be written in lower/, (text) =>
    text.replace('</key>', '</KEY>'),
  ),
  refused('tag and more', 31, /^<key>: must stand alone/, replace('<key>', '<key> mine')),
  refused('end and more', 37, /^the end of <key>: must stand alone/, (text) =>
    text.replace('</key>', '</key>mine'),
  ),
  refused('lost tag', 31, /^a certificate or key stands outside/, replace('<key>\n', '')),
  refused('lost end', 31, /^<key>: has no end/, replace('</key>\n', '')),
  refused('lost end between', 19, /^<cert>: has no end/, replace('</cert>\n', '')),
  refused('lost first line', 35, /^<key>: has an END line/, replace(/-----BEGIN PRIVATE.*\n/, '')),
  refused('long line', 21, /^is longer than 250 bytes/, (text) =>
    text.replace(/(BEGIN CERTIFICATE-----\n)/, `$1${'A'.repeat(255)}</cert>\n`),
  ),
  refused('control character', 2, /^holds a control character/, replace('client', 'client\v')),
  refused('carriage return within', 2, /^holds a control/, replace('client', 'client\rup x')),
  refused('nul', 5, /^holds a control character/, replace('remote', 'remote\0')),
  refused('umlaut', 5, /^holds the character U\+00F6; /, replace('remote vps', 'remote vpsö')),
  ...foreignBlanks.map((blank) =>
    refused(
      `smuggled by U+${blank.codePointAt(0)!.toString(16)}`,
      30,
      /^holds the character U\+/,
      replace('</cert>\n', smuggled(blank, 'up /tmp/x')),
    ),
  ),
];
