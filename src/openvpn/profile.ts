// Reads an OpenVPN profile and refuses, by name, everything that could run a program, leak or unshape.

/** One thing wrong with a profile. */
export interface ProfileProblem {
  /** From 1; 0 when the fault is in no one line. */
  line: number;
  message: string;
}

/** A profile in which every directive is one we know to be harmless. */
export interface Profile {
  remoteHost: string;
  remotePort: number;
  /** Directives and inline blocks to hand on, one line each (blocks: several). */
  lines: string[];
}

export type ProfileVerdict =
  | { ok: true; profile: Profile }
  | { ok: false; problems: ProfileProblem[] };

/** Larger than any profile `add-home` prints by a factor of ten. */
const MAX_PROFILE_BYTES = 100_000;

const AEAD_CIPHERS = new Set(['AES-256-GCM', 'AES-192-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305']);

const INLINE = new Set([
  'ca',
  'cert',
  'key',
  'peer-fingerprint',
  'tls-crypt',
  'tls-crypt-v2',
  'tls-auth',
]);

/** Directives that are handed on as they stand. */
const PLAIN = new Set([
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
const OVERRIDDEN = new Set([
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

const RUNS_PROGRAMS = new Set([
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

const LOADS_CODE = new Set(['plugin', 'engine', 'providers', 'pkcs11-providers', 'pkcs11-id']);

const COMPRESSES = new Set(['comp-lzo', 'compress', 'comp-noadapt', 'allow-compression']);

/** Reads one profile. Never throws; every problem is listed. */
export function checkProfile(text: string): ProfileVerdict {
  const problems: ProfileProblem[] = [];
  const lines: string[] = [];
  const blocks = new Set<string>();
  const remotes: { host: string; port: number }[] = [];
  let port: number | null = null;
  const report = (line: number, message: string): void => {
    problems.push({ line, message });
  };
  if (text.length > MAX_PROFILE_BYTES) {
    return {
      ok: false,
      problems: [{ line: 0, message: `the profile is larger than ${MAX_PROFILE_BYTES} bytes` }],
    };
  }
  const source = text.replace(/^\ufeff/, '').split(/\r?\n/);
  for (let index = 0; index < source.length; index++) {
    const number = index + 1;
    const line = source[index]!.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const open = /^<([a-z0-9-]+)>$/.exec(line);
    if (open) {
      const tag = open[1]!;
      const end = source.findIndex((other, at) => at > index && other.trim() === `</${tag}>`);
      if (end < 0) {
        report(number, `<${tag}>: has no closing </${tag}>`);
        break;
      }
      if (!INLINE.has(tag)) report(number, `<${tag}>: is not allowed in a profile; remove it`);
      else if (blocks.has(tag)) report(number, `<${tag}>: stands twice; keep one`);
      else {
        blocks.add(tag);
        lines.push(...source.slice(index, end + 1).map((part) => part.trimEnd()));
      }
      index = end;
      continue;
    }
    const words = splitWords(line);
    if (words === null || words.length === 0) {
      report(number, 'has a quotation mark without its pair');
      continue;
    }
    const [name, ...values] = [words[0]!.replace(/^--/, ''), ...words.slice(1)];
    const value = values[0] ?? '';
    const said = [name, ...values].join(' ');
    if (RUNS_PROGRAMS.has(name!))
      report(number, `${said}: runs a program on the router; remove it`);
    else if (LOADS_CODE.has(name!))
      report(number, `${said}: loads foreign code into OpenVPN; remove it`);
    else if (COMPRESSES.has(name!)) {
      const harmless = name === 'allow-compression' && value === 'no';
      if (!harmless)
        report(number, `${said}: compression gives contents away by their size; remove it`);
    } else if (INLINE.has(name!)) {
      report(number, `${said}: names a file; put its contents between <${name}> and </${name}>`);
    } else if (name === 'proto' || name === 'proto-force') {
      if (!/^udp[46]?$/.test(value))
        report(number, `${said}: must be udp; TCP can't keep packets on schedule`);
    } else if (name === 'dev') {
      if (!/^tun/.test(value)) report(number, `${said}: must be tun`);
    } else if (name === 'dev-type') {
      if (value !== 'tun') report(number, `${said}: must be tun`);
    } else if (name === 'port' || name === 'rport') {
      port = parsePort(value);
      if (port === null) report(number, `${said}: must be a port from 1 to 65535`);
    } else if (name === 'remote') {
      const own = values[1] === undefined ? 1194 : parsePort(values[1]);
      if (!/^[A-Za-z0-9._:-]+$/.test(value) || value.startsWith('-')) {
        report(number, `${said}: must name the endpoint's host`);
      } else if (own === null) report(number, `${said}: must be a port from 1 to 65535`);
      else if (values[2] !== undefined && !/^udp[46]?$/.test(values[2])) {
        report(number, `${said}: must be udp; TCP can't keep packets on schedule`);
      } else remotes.push({ host: value, port: own });
    } else if (
      name === 'data-ciphers' ||
      name === 'ncp-ciphers' ||
      name === 'cipher' ||
      name === 'data-ciphers-fallback'
    ) {
      const bad = value.split(':').filter((cipher) => !AEAD_CIPHERS.has(cipher.toUpperCase()));
      if (bad.length > 0) {
        report(
          number,
          `${said}: must be one of ${[...AEAD_CIPHERS].join(', ')}, got "${bad.join(':')}"`,
        );
      } else if (name === 'data-ciphers') lines.push(`data-ciphers ${value}`);
    } else if (PLAIN.has(name!)) lines.push([name, ...values.map(quoteWord)].join(' '));
    else if (!OVERRIDDEN.has(name!)) {
      report(number, `${said}: is not a directive iot-shaper allows; remove it`);
    }
  }
  if (remotes.length === 0) report(0, 'has no "remote" line that names the endpoint');
  if (remotes.length > 1) report(0, 'has more than one "remote" line; keep one');
  for (const tag of ['cert', 'key']) {
    if (!blocks.has(tag))
      report(0, `has no <${tag}> block; upload the whole profile the endpoint printed`);
  }
  if (!blocks.has('ca') && !blocks.has('peer-fingerprint')) {
    report(0, 'has neither <peer-fingerprint> nor <ca>: the endpoint could be anyone');
  }
  if (problems.length > 0) return { ok: false, problems };
  const remote = remotes[0]!;
  return {
    ok: true,
    profile: { remoteHost: remote.host, remotePort: port ?? remote.port, lines },
  };
}

function parsePort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}

/** Words of a configuration line: double quotes with backslash escapes, single quotes, comments after white space. */
function splitWords(line: string): string[] | null {
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

function quoteWord(word: string): string {
  return /^[A-Za-z0-9._:/@=+-]+$/.test(word) ? word : `"${word.replace(/[\\"]/g, '\\$&')}"`;
}
