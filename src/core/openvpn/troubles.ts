// Why a tunnel is not set up: found in what OpenVPN 2.6 prints, line by line, and said in words of ours.

import { type Notice, notice } from '../notices/notice.ts';
import { MOVE_PORT } from '../plan/names.ts';

/** Longer runs of base64 are no words. */
const KEY_RUN = /[A-Za-z0-9+/=]{40,}/g;
const MAX_SAID = 160;

/** A line of another program as log and status may have it: nothing that could be a key. */
export function withoutKeys(line: string): string {
  return line.replace(KEY_RUN, '…');
}

/** Where OpenVPN speaks to. */
export interface Remote {
  address: string;
  port: string;
}

/** Who answers otherwise; null where nobody could be asked. */
export interface WayEvidence {
  /** The endpoint's machine. */
  server: boolean | null;
  /** Resolvers of the Internet's names. */
  names: boolean | null;
}

export const NOTHING_TRIED: WayEvidence = { server: null, names: null };

/** What it means that the endpoint answers nothing at all: its key would be refused, and its closed port told. */
export function explainSilence(remote: Remote | null, { server, names }: WayEvidence): Notice {
  if (remote === null) {
    const values = { place: notice('unnamed-place'), port: notice('unnamed-port') };
    return notice('endpoint-mute', values);
  }
  const { address, port } = remote;
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  if (server === true) return notice('endpoint-mute-alive', { place, port });
  if (names === true) return notice('endpoint-mute-online', { place, port });
  if (server === false && names === false) return notice('internet-mute', { place });
  return notice('endpoint-mute', { place, port });
}

/** Patterns of lines, each with what it means; the first that fits counts. */
const TROUBLES: readonly [
  pattern: RegExp,
  said: (match: RegExpExecArray, remote: Remote | null) => Notice,
][] = [
  [
    /^RESOLVE: Cannot resolve host address: (\S+?)(?::\d+)? /,
    ([, host = '']) => notice('endpoint-name-unresolved', { host }),
  ],
  [
    /Socket bind failed on local address \S*:(\d+): Address already in use/,
    ([, port = '']) =>
      notice('endpoint-port-taken', {
        ...{ port, program: notice('another-program', { port }) },
        command: MOVE_PORT,
      }),
  ],
  [/\[ECONNREFUSED[|\]]|: Connection refused/, () => notice('endpoint-refuses')],
  [/Cannot assign requested address/, () => notice('family-missing')],
  [/: Network is unreachable|^Network unreachable/, () => notice('internet-missing')],
  [/No route to host/, () => notice('endpoint-unreachable')],
  [/peer-fingerprint certificate hash verification failed/, () => notice('fingerprint-other')],
  [
    /^VERIFY ERROR: .*error=(?:certificate is not yet valid|CRL is not yet valid)/,
    () => notice('certificate-not-yet'),
  ],
  [/^VERIFY ERROR: .*error=certificate has expired/, () => notice('certificate-expired')],
  [/^VERIFY X509NAME ERROR/, () => notice('certificate-of-other-name')],
  [/^VERIFY (?:E?KU ERROR|nsCertType ERROR)/, () => notice('certificate-no-server')],
  [/^Certificate does not have (?:extended )?key usage/, () => notice('certificate-no-server')],
  [
    /^VERIFY (?:\w+ )?ERROR: (?:.*error=)?([^:]*)/,
    ([, error = '']) => notice('certificate-unproved', { error: quote(error) }),
  ],
  [
    /no shared cipher|cipher negotiation failed|Failed to negotiate cipher/i,
    () => notice('ciphers-not-shared'),
  ],
  [
    /AUTH_FAILED(?:,([^'"]*))?/,
    ([, why = '']) =>
      why === '' ? notice('home-refused') : notice('home-refused-why', { why: quote(why) }),
  ],
  [
    /unsupported protocol|alert protocol version|no protocols available|wrong version number/,
    () => notice('tls-versions-differ'),
  ],
  [
    /TLS key negotiation failed to occur|^Server poll timeout/,
    (_, remote) => explainSilence(remote, NOTHING_TRIED),
  ],
];

/** What follows from another line, or says nothing that a person could act on. */
const PLAIN =
  /\b(?:errors?|cannot|can't|failed|fatal|unrecognized|missing)\b|^(?:Options error|OpenSSL)/i;
const EMPTY =
  /^(?:NOTE|WARNING|DEPRECATED|MANAGEMENT|Restart pause|SIG[A-Z0-9]+\[)|TLS object ->|TLS handshake failed|TLS_ERROR|Exiting due to fatal/i;

const REMOTE = /^UDPv[46] link remote: \[AF_INET6?\](\S+):(\d+)$/;

function quote(line: string): string {
  const said = withoutKeys(line)
    .replace(/[^\x20-\x7e…]/g, '')
    .trim();
  return said.length > MAX_SAID ? `${said.slice(0, MAX_SAID - 1)}…` : said;
}

/** Follows one OpenVPN's lines; the lines of one try belong together, and the plainest of them is told. */
export class TroubleReader {
  /** Whether this try has told of a trouble with words of ours, or of any. */
  #isNamed = false;
  #isHeard = false;
  #remote: Remote | null = null;

  /** Whom the last try was to reach; null before the first. */
  get remote(): Remote | null {
    return this.#remote;
  }

  /** What this line adds to what is known, or null. */
  hear(printed: string): Notice | null {
    const line = printed.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:us=\d+ )?/, '');
    if (/^SIG(?:USR1|HUP|TERM)\[/.test(line)) {
      this.#isNamed = false;
      this.#isHeard = false;
      return null;
    }
    const [, address, port] = REMOTE.exec(line) ?? [];
    if (address !== undefined && port !== undefined) this.#remote = { address, port };
    if (EMPTY.test(line)) return null;
    for (const [pattern, said] of TROUBLES) {
      const match = pattern.exec(line);
      if (!match) continue;
      if (this.#isNamed) return null;
      this.#isNamed = true;
      this.#isHeard = true;
      return said(match, this.#remote);
    }
    if (this.#isHeard || !PLAIN.test(line)) return null;
    this.#isHeard = true;
    return notice('openvpn-says', { line: quote(line) });
  }

  /** What it means that a try has come no further than to this state for long, or null. */
  linger(state: string): Notice | null {
    if (this.#isNamed) return null;
    if (state === 'WAIT') return explainSilence(this.#remote, NOTHING_TRIED);
    return state === 'AUTH' || state === 'GET_CONFIG' ? notice('home-unanswered') : null;
  }
}
