// Which OpenVPN directives a profile may have, and how a line is cut into words.

/** Ciphers that authenticate and keep every packet's length. */
export const AEAD_CIPHERS = new Set([
  'AES-256-GCM',
  'AES-192-GCM',
  'AES-128-GCM',
  'CHACHA20-POLY1305',
]);

/** Files that a profile carries within itself, between tags. */
export const INLINE = new Set([
  'ca',
  'cert',
  'key',
  'peer-fingerprint',
  'tls-crypt',
  'tls-crypt-v2',
  'tls-auth',
]);

/** Directives that are handed on as they stand. */
export const PLAIN = new Set([
  'client',
  'tls-client',
  'pull',
  'nobind',
  'remote-cert-tls',
  'verify-x509-name',
  'tls-version-min',
  'tls-ciphersuites',
  'tls-groups',
  'key-direction',
  'auth',
  'auth-nocache',
  'resolv-retry',
  'server-poll-timeout',
]);

/** Directives that iotshaper sets itself; a profile may carry them, they are left out. */
export const OVERRIDDEN = new Set([
  'persist-key',
  'persist-tun',
  'verb',
  'mute',
  'float',
  'explicit-exit-notify',
  'ping',
  'ping-restart',
  'keepalive',
  'reneg-sec',
  'tun-mtu',
  'mssfix',
  'connect-retry',
  'topology',
  'sndbuf',
  'rcvbuf',
  'txqueuelen',
  'disable-dco',
  'mute-replay-warnings',
]);

/** Directives that name a command or allow one to run. */
export const RUNS_PROGRAMS = new Set([
  'up',
  'down',
  'up-restart',
  'down-pre',
  'route-up',
  'route-pre-down',
  'ipchange',
  'tls-verify',
  'auth-user-pass-verify',
  'client-connect',
  'client-disconnect',
  'client-crresponse',
  'learn-address',
  'tls-crypt-v2-verify',
  'script-security',
  'iproute',
  'dns-updown',
]);

/** Directives that load libraries. */
export const LOADS_CODE = new Set([
  'plugin',
  'engine',
  'providers',
  'pkcs11-providers',
  'pkcs11-id',
]);

/** Directives by which a packet's length tells its contents. */
export const COMPRESSES = new Set(['comp-lzo', 'compress', 'comp-noadapt', 'allow-compression']);

/** Words of a configuration line: double quotes with backslash escapes, single quotes, comments after white space. */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"'#;][^\s"']*))/y;
  let at = 0;
  while (at < line.length) {
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (!match) {
      const rest = line.slice(at).trim();
      return rest === '' || rest.startsWith('#') || rest.startsWith(';') ? words : null;
    }
    words.push(match[1]?.replace(/\\(.)/g, '$1') ?? match[2] ?? match[3] ?? '');
    at = pattern.lastIndex;
  }
  return words;
}

/** A word as {@link splitWords} and OpenVPN read it back. */
export function quoteWord(word: string): string {
  return /^[A-Za-z0-9._:/@=+-]+$/.test(word) ? word : `"${word.replace(/[\\"]/g, '\\$&')}"`;
}
