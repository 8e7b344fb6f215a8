// Reads an OpenVPN profile and refuses, by name, everything that could run a program, leak or unshape.
import {
  AEAD_CIPHERS,
  COMPRESSES,
  INLINE,
  LOADS_CODE,
  OVERRIDDEN,
  PLAIN,
  quoteWord,
  RUNS_PROGRAMS,
  splitWords,
} from './profile-directives.ts';

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
  /** What home and endpoint prove their control messages with; empty in a profile without one. */
  controlKey: Uint8Array;
  /** Networks of the endpoint's inside. */
  inside: { tunnel: string; inner4: string; inner6: string | null };
}

export type ProfileVerdict =
  | { ok: true; profile: Profile }
  | { ok: false; problems: ProfileProblem[] };

/** Larger than any profile `add-home` prints by a factor of ten. */
const MAX_PROFILE_BYTES = 100_000;

/**
 * OpenVPN reads lines into buffers of 256 bytes (options.h, OPTION_LINE_SIZE) and cuts longer ones within a block, so that
 * a part of a line could end the block and what follows would be read as directives.
 */
const MAX_LINE_BYTES = 250;

const NOT_UDP = "must be udp; TCP can't keep packets on schedule";
const NOT_PORT = 'must be a port from 1 to 65535';

/** Reads one profile. Never throws; every problem is listed. */
export function checkProfile(text: string): ProfileVerdict {
  if (Buffer.byteLength(text) > MAX_PROFILE_BYTES) {
    const message = `the profile is larger than ${MAX_PROFILE_BYTES} bytes`;
    return { ok: false, problems: [{ line: 0, message }] };
  }
  const source = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const binary = source.findIndex((line) => /[\x00-\x08\x0a-\x1f\x7f]/.test(line));
  if (binary >= 0) {
    const message = 'holds a control character; upload the file as the endpoint printed it';
    return { ok: false, problems: [{ line: binary + 1, message }] };
  }
  const reader = new ProfileReader();
  for (let index = 0; index < source.length; index++) {
    const line = source[index]!.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const open = /^<([a-z0-9-]+)>$/.exec(line);
    if (!open) reader.readLine(index + 1, line);
    else {
      // As OpenVPN finds it: whatever follows the closing tag on its line.
      const closing = `</${open[1]}>`;
      let end = index + 1;
      while (end < source.length && !source[end]!.trimStart().startsWith(closing)) end++;
      reader.readBlock(index + 1, open[1]!, source.slice(index, end + 1));
      index = end;
    }
  }
  return reader.verdict();
}

class ProfileReader {
  readonly #problems: ProfileProblem[] = [];
  readonly #lines: string[] = [];
  readonly #blocks = new Set<string>();
  readonly #remotes: { host: string; port: number | null }[] = [];
  readonly #own = new Map<string, string>();
  #port = 1194;

  /** @param lines from the opening tag to the closing one, or to the end where there is none. */
  readBlock(number: number, tag: string, lines: readonly string[]): void {
    const closing = `</${tag}>`;
    const last = lines.at(-1)!.trim();
    const odd = lines.findIndex((line) => Buffer.byteLength(line) > MAX_LINE_BYTES);
    if (!last.startsWith(closing)) this.#report(number, `<${tag}>: has no closing ${closing}`);
    else if (last !== closing) {
      this.#report(number + lines.length - 1, `${closing}: must stand alone on its line`);
    } else if (tag === 'iotshaper') {
      for (const line of lines.slice(1, -1)) {
        const [name = '', value = ''] = line.trim().split(/\s+/);
        this.#own.set(name, value);
      }
    } else if (!INLINE.has(tag)) {
      this.#report(number, `<${tag}>: is not allowed in a profile; remove it`);
    } else if (this.#blocks.has(tag)) this.#report(number, `<${tag}>: stands twice; keep one`);
    else if (odd >= 0) this.#report(number + odd, TOO_LONG);
    else this.#lines.push(...lines.map((line) => line.trimEnd()));
    this.#blocks.add(tag);
  }

  readLine(number: number, line: string): void {
    const words = splitWords(line);
    if (words === null || words.length === 0) {
      this.#report(number, 'has a quotation mark without its pair');
      return;
    }
    const [name, ...values] = [words[0]!.replace(/^--/, ''), ...words.slice(1)] as [
      string,
      ...string[],
    ];
    const fault =
      this.#judge(name, values) ?? (Buffer.byteLength(line) > MAX_LINE_BYTES ? TOO_LONG : null);
    if (fault !== null) this.#report(number, `${shorten([name, ...values].join(' '))}: ${fault}`);
  }

  verdict(): ProfileVerdict {
    const [remote, ...others] = this.#remotes;
    const blocks = this.#blocks;
    if (!remote) this.#report(0, 'has no "remote" line that names the endpoint');
    if (others.length > 0) this.#report(0, 'has more than one "remote" line; keep one');
    for (const tag of ['cert', 'key']) {
      if (!blocks.has(tag))
        this.#report(0, `has no <${tag}> block; upload the whole profile the endpoint printed`);
    }
    if (!blocks.has('ca') && !blocks.has('peer-fingerprint')) {
      this.#report(0, 'has neither <peer-fingerprint> nor <ca>: the endpoint could be anyone');
    }
    if (!remote || this.#problems.length > 0) return { ok: false, problems: this.#problems };
    const { host, port } = remote;
    return {
      ok: true,
      profile: {
        remoteHost: host,
        remotePort: port ?? this.#port,
        lines: this.#lines,
        controlKey: Buffer.from(this.#own.get('control-key') ?? '', 'base64'),
        inside: {
          tunnel: this.#own.get('tunnel') ?? '10.213.0.0/24',
          inner4: this.#own.get('inner') ?? '10.214.0.0/16',
          inner6: this.#own.get('inner6') ?? null,
        },
      },
    };
  }

  #report(line: number, message: string): void {
    this.#problems.push({ line, message });
  }

  /** What is wrong with a directive; takes it over when nothing is. */
  #judge(name: string, values: readonly string[]): string | null {
    const value = values[0] ?? '';
    if (RUNS_PROGRAMS.has(name)) return 'runs a program on the router; remove it';
    if (LOADS_CODE.has(name)) return 'loads foreign code into OpenVPN; remove it';
    if (COMPRESSES.has(name)) {
      const harmless = name === 'allow-compression' && value === 'no';
      return harmless ? null : 'compression gives contents away by their size; remove it';
    }
    if (INLINE.has(name)) {
      return `names a file; put its contents between <${name}> and </${name}>`;
    }
    switch (name) {
      case 'proto':
      case 'proto-force':
        return isUdp(value) ? null : NOT_UDP;
      case 'dev':
        return value.startsWith('tun') ? null : 'must be tun';
      case 'dev-type':
        return value === 'tun' ? null : 'must be tun';
      case 'port':
      case 'rport':
        return this.#takePort(value);
      case 'remote':
        return this.#takeRemote(values);
      case 'data-ciphers':
      case 'ncp-ciphers':
      case 'cipher':
      case 'data-ciphers-fallback':
        return this.#takeCiphers(name, value);
      default:
        if (PLAIN.has(name)) this.#lines.push([name, ...values.map(quoteWord)].join(' '));
        else if (!OVERRIDDEN.has(name)) return 'is not a directive iot-shaper allows; remove it';
        return null;
    }
  }

  #takePort(value: string): string | null {
    const port = parsePort(value);
    this.#port = port ?? this.#port;
    return port === null ? NOT_PORT : null;
  }

  #takeRemote([host = '', port, proto]: readonly string[]): string | null {
    if (!/^[A-Za-z0-9._:-]+$/.test(host) || host.startsWith('-')) {
      return "must name the endpoint's host";
    }
    const own = port === undefined ? null : parsePort(port);
    if (port !== undefined && own === null) return NOT_PORT;
    if (proto !== undefined && !isUdp(proto)) return NOT_UDP;
    this.#remotes.push({ host, port: own });
    return null;
  }

  #takeCiphers(name: string, value: string): string | null {
    const bad = value.split(':').filter((cipher) => !AEAD_CIPHERS.has(cipher.toUpperCase()));
    if (bad.length > 0) {
      return `must be one of ${[...AEAD_CIPHERS].join(', ')}, got "${shorten(bad.join(':'))}"`;
    }
    if (name === 'data-ciphers') this.#lines.push(`data-ciphers ${value}`);
    return null;
  }
}

const TOO_LONG = `is longer than ${MAX_LINE_BYTES} bytes, which OpenVPN does not read as one line`;

function isUdp(proto: string): boolean {
  return /^udp[46]?$/.test(proto);
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function parsePort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}
