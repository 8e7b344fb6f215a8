// Names of OpenVPN's directives and blocks, by what becomes of them in a profile.

import { type Notice, notice } from '../notices/notice.ts';

/** Blocks that a profile may have. */
export const BLOCKS: ReadonlySet<string> = new Set([
  'ca',
  'cert',
  'key',
  'peer-fingerprint',
  'iotshaper',
]);

/** Directives that name a file unless they are blocks. */
export const FILES: ReadonlySet<string> = new Set(['ca', 'cert', 'key']);

/** Directives that are set by iotshaper itself or change nothing; a profile may carry them, they are left out. */
export const LEFT_OUT: ReadonlySet<string> = new Set([
  ...['persist-key', 'persist-tun', 'verb', 'mute', 'mute-replay-warnings', 'float'],
  ...['explicit-exit-notify', 'ping', 'ping-restart', 'keepalive', 'reneg-sec', 'connect-retry'],
  ...['resolv-retry', 'server-poll-timeout', 'connect-timeout', 'auth-nocache'],
  ...['tun-mtu', 'mssfix', 'topology', 'sndbuf', 'rcvbuf', 'txqueuelen', 'disable-dco'],
  // The ciphers allowed bring their own authentication.
  'auth',
]);

/** Directives that name a command or allow one to run. */
const RUNS_PROGRAMS: ReadonlySet<string> = new Set([
  ...['up', 'down', 'up-restart', 'down-pre', 'route-up', 'route-pre-down', 'ipchange'],
  ...['tls-verify', 'auth-user-pass-verify', 'client-connect', 'client-disconnect'],
  ...['client-crresponse', 'learn-address', 'tls-crypt-v2-verify', 'script-security', 'iproute'],
  'dns-updown',
]);

/** Directives that load libraries. */
const LOADS_CODE: ReadonlySet<string> = new Set([
  ...['plugin', 'engine', 'providers', 'pkcs11-providers', 'pkcs11-id'],
]);

/** Directives by which a packet's length tells its contents. */
const COMPRESSES: ReadonlySet<string> = new Set([
  ...['comp-lzo', 'compress', 'comp-noadapt', 'allow-compression'],
]);

/** Directives and blocks of servers that iot-shaper's endpoint is not. */
const FOREIGN_KEYS: ReadonlySet<string> = new Set([
  ...['tls-crypt', 'tls-crypt-v2', 'tls-auth', 'key-direction', 'secret', 'pkcs12', 'extra-certs'],
  ...['auth-user-pass', 'crl-verify', 'dh', 'connection', 'verify-hash', 'ns-cert-type'],
]);

/** Whether only another kind of server than iot-shaper's endpoint has this. */
export function isForeign(name: string): boolean {
  return FOREIGN_KEYS.has(name);
}

/** Directives about what both ends agree on by themselves. */
const NEGOTIATED: ReadonlySet<string> = new Set([
  ...['tls-ciphersuites', 'tls-cipher', 'tls-groups', 'tls-cert-profile', 'tls-version-max'],
  'ecdh-curve',
]);

/** Further directives that are met in profiles; here so that they can be named when they are refused. */
const OTHERS: ReadonlySet<string> = new Set([
  ...['route', 'route-ipv6', 'route-metric', 'route-delay', 'route-nopull', 'route-noexec'],
  ...['redirect-gateway', 'redirect-private', 'dhcp-option', 'dns', 'block-outside-dns'],
  ...['pull-filter', 'ifconfig', 'ifconfig-ipv6', 'ifconfig-nowarn', 'push-peer-info', 'tun-ipv6'],
  ...['management', 'management-client', 'management-hold', 'config', 'cd', 'chroot', 'tmp-dir'],
  ...['http-proxy', 'http-proxy-option', 'socks-proxy', 'remote-random', 'remote-random-hostname'],
  ...['log', 'log-append', 'syslog', 'status', 'writepid', 'daemon', 'user', 'group', 'nice'],
  ...['setenv', 'setenv-safe', 'ignore-unknown-option', 'local', 'lport', 'bind', 'multihome'],
  ...['mode', 'server', 'server-ipv6', 'push', 'tls-server', 'client-config-dir', 'fragment'],
  ...['mtu-disc', 'mark', 'fast-io', 'shaper', 'link-mtu', 'inactive', 'ping-exit', 'hand-window'],
  ...['tls-timeout', 'tran-window', 'tls-exit', 'single-session', 'remote-cert-eku'],
  ...['remote-cert-ku', 'x509-username-field', 'capath', 'askpass', 'static-challenge', 'up-delay'],
  ...['dev-node', 'lladdr', 'mlock', 'replay-window', 'persist-local-ip', 'persist-remote-ip'],
  ...[
    'secret',
    'prng',
    'ncp-disable',
    'keysize',
    'no-replay',
    'allow-pull-fqdn',
    'connect-retry-max',
  ],
]);

/** Directives that are read; {@link readDirective} does. */
const READ: ReadonlySet<string> = new Set([
  ...['client', 'tls-client', 'pull', 'nobind', 'dev', 'dev-type', 'proto', 'proto-force'],
  ...['port', 'rport', 'remote', 'data-ciphers', 'ncp-ciphers', 'cipher', 'data-ciphers-fallback'],
  ...['tls-version-min', 'remote-cert-tls', 'verify-x509-name', 'peer-fingerprint'],
]);

const REFUSALS: readonly [names: ReadonlySet<string>, reason: Notice][] = [
  [RUNS_PROGRAMS, notice('runs-program')],
  [LOADS_CODE, notice('loads-code')],
  [COMPRESSES, notice('compresses')],
  [FOREIGN_KEYS, notice('has-no-use')],
  [NEGOTIATED, notice('is-negotiated')],
];

/** Why a directive or block has no place in a profile. */
export function reasonAgainst(name: string): Notice {
  const found = REFUSALS.find(([names]) => names.has(name));
  return found?.[1] ?? notice('directive-not-allowed');
}

const KNOWN = [BLOCKS, FILES, LEFT_OUT, READ, OTHERS, ...REFUSALS.map(([names]) => names)];

/** Whether this may be quoted: a line of a key that lost its block looks like a directive too. */
export function isKnownName(name: string): boolean {
  return KNOWN.some((names) => names.has(name));
}

/** Whether `<tag>` is a block OpenVPN or iot-shaper knows. */
export function isKnownTag(tag: string): boolean {
  return BLOCKS.has(tag) || FOREIGN_KEYS.has(tag);
}

/** What base64 and hexadecimal keys look like. */
const KEY_LIKE = /[A-Za-z0-9+/=]{12,}/;

/** A directive as a message may quote it, with what could be a part of a key left out. */
export function quoteDirective(name: string, values: readonly string[]): string {
  const shown = values.map((value) => (KEY_LIKE.test(value) ? '…' : value));
  const text = [name, ...shown].join(' ');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
