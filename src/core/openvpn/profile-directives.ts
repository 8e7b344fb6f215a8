// What the directives of a profile say, each value from a closed set.

import { listOf } from '../notices/list.ts';
import { type Notice, notice } from '../notices/notice.ts';
import { FILES, LEFT_OUT, reasonAgainst } from './profile-names.ts';
import type { Directive } from './profile-text.ts';
import { isHost, type Proto, parsePort, parseProto } from './remote.ts';

/** Ciphers that authenticate and keep every packet's length. */
const AEAD_CIPHERS = ['AES-256-GCM', 'AES-192-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'];

/** Those of them that an endpoint offers. */
const DATA_CIPHERS = ['AES-256-GCM', 'CHACHA20-POLY1305'] as const;
export type DataCipher = (typeof DATA_CIPHERS)[number];

export type TlsVersion = '1.2' | '1.3';

/** A `remote` before it is known what `port` and `proto` say. */
export interface RemoteLine {
  line: number;
  host: string;
  port: number | null;
  proto: Proto | null;
}

/** What the directives read so far have said. */
export class Directives {
  readonly remotes: RemoteLine[] = [];
  port = 1194;
  proto: Proto = 'udp';
  dataCiphers: DataCipher[] = [...DATA_CIPHERS];
  tlsVersionMin: TlsVersion = '1.2';
  /** Common name that the endpoint's certificate must have. */
  endpointName: string | null = null;
  readonly fingerprints: string[] = [];
}

const NOT_UDP = notice('must-be-udp');
const NOT_PORT = notice('must-be-port');
const NOT_TUN = notice('must-be', { word: 'tun' });

/** Takes a directive over, or says what is wrong with it. */
export function readDirective({ line, name, values }: Directive, found: Directives): Notice | null {
  const value = values[0] ?? '';
  switch (name) {
    case 'client':
    case 'tls-client':
    case 'pull':
    case 'nobind':
      return values.length === 0 ? null : notice('takes-no-value');
    case 'dev':
      return /^tun\d{0,3}$/.test(value) && values.length === 1 ? null : NOT_TUN;
    case 'dev-type':
      return value === 'tun' && values.length === 1 ? null : NOT_TUN;
    case 'proto':
    case 'proto-force': {
      const proto = parseProto(value);
      if (proto === null || values.length > 1) return NOT_UDP;
      if (name === 'proto') found.proto = proto;
      return null;
    }
    case 'port':
    case 'rport': {
      const port = parsePort(value);
      if (port === null || values.length > 1) return NOT_PORT;
      found.port = port;
      return null;
    }
    case 'remote':
      return readRemote(line, values, found);
    case 'data-ciphers':
    case 'ncp-ciphers':
    case 'cipher':
    case 'data-ciphers-fallback':
      return readCiphers(name, values, found);
    case 'tls-version-min':
      if ((value !== '1.2' && value !== '1.3') || values.length > 1)
        return notice('must-be-either', { first: '1.2', second: '1.3' });
      found.tlsVersionMin = value;
      return null;
    case 'remote-cert-tls':
      return value === 'server' && values.length === 1
        ? null
        : notice('must-be', { word: 'server' });
    case 'verify-x509-name':
      if (!/^[A-Za-z0-9]([A-Za-z0-9._ -]{0,62}[A-Za-z0-9])?$/.test(value) || values[1] !== 'name')
        return notice('must-be-name');
      if (values.length > 2) return notice('name-and-more');
      found.endpointName = value;
      return null;
    case 'peer-fingerprint': {
      const print = parseFingerprint(value);
      if (print === null || values.length > 1) return NOT_FINGERPRINT;
      found.fingerprints.push(print);
      return null;
    }
    case 'allow-compression':
      return value === 'no' ? null : reasonAgainst(name);
    default:
      if (LEFT_OUT.has(name)) return null;
      if (FILES.has(name)) return notice('names-file', { name });
      return reasonAgainst(name);
  }
}

function readRemote(line: number, values: readonly string[], found: Directives): Notice | null {
  const [host = '', port, proto] = values;
  if (host.startsWith('[')) return notice('host-in-brackets');
  if (!isHost(host)) return notice('host-missing');
  const ownPort = port === undefined ? null : parsePort(port);
  if (port !== undefined && ownPort === null) return NOT_PORT;
  const ownProto = proto === undefined ? null : parseProto(proto);
  if (proto !== undefined && ownProto === null) return NOT_UDP;
  if (values.length > 3) return notice('remote-and-more');
  found.remotes.push({ line, host, port: ownPort, proto: ownProto });
  return null;
}

function readCiphers(name: string, values: readonly string[], found: Directives): Notice | null {
  const ciphers = (values[0] ?? '').toUpperCase().split(':');
  if (values.length > 1) return notice('ciphers-spaced');
  if (!ciphers.every((cipher) => AEAD_CIPHERS.includes(cipher))) {
    return notice('ciphers-weak', { ciphers: AEAD_CIPHERS.join(', ') });
  }
  if (name !== 'data-ciphers' && name !== 'ncp-ciphers') return null;
  const shared = DATA_CIPHERS.filter((cipher) => ciphers.includes(cipher));
  if (shared.length === 0)
    return notice('ciphers-not-offered', { ciphers: listOf(DATA_CIPHERS, 'list-or') });
  // In the order given: the first is preferred.
  found.dataCiphers = shared.sort((a, b) => ciphers.indexOf(a) - ciphers.indexOf(b));
  return null;
}

/** What to say of a fingerprint that is none; never quotes it. */
export const NOT_FINGERPRINT = notice('must-be-fingerprint');

/** A SHA-256 fingerprint in upper-case hexadecimal with colons, or null. */
export function parseFingerprint(text: string): string | null {
  return /^([0-9a-f]{2}:){31}[0-9a-f]{2}$/i.test(text) ? text.toUpperCase() : null;
}
