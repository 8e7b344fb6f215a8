// What is known of followed devices, and how it is kept over a restart.
import { ipVersion } from '../../ip/address.ts';

/** More than any device has; what was seen last is kept. */
export const MOST_MACS = 8;
export const MOST_ADDRESSES = 32;
const MOST_NAMES = 8;
/** Hosts found to be others: a home may have many of one make. */
const MOST_OTHERS = 64;
/** What was seen so lately is in use. */
const IN_USE_MS = 600_000;

/** A hardware or IP address learned of a device. */
export interface Known {
  value: string;
  /** Running time since it was last seen. A router's clock starts anywhere, so no time of day is kept. */
  idleMs: number;
  /** Learned because it took the device's place, which two hosts of one name may seem to do. */
  guess: boolean;
}

/** What is known of one device beyond its configuration. */
export interface Track {
  /** The configured addresses it is told by: a device chosen anew is another. */
  key: string;
  macs: Known[];
  addresses: Known[];
  /** Names and client ids of its leases. */
  names: string[];
  clientIds: string[];
  /** Hardware addresses of hosts that only seemed to be it. */
  others: string[];
  /** Netdev on which it was last seen; '' when never. */
  dev: string;
}

export function newTrack(key: string): Track {
  return { key, macs: [], addresses: [], names: [], clientIds: [], others: [], dev: '' };
}

/**
 * Notes a value that was not known.
 *
 * A full list loses what was not seen for longest, but nothing that is in use: rules are not to change with every look.
 */
export function note(list: Known[], value: string, most: number, guess = false): void {
  if (list.length >= most) {
    const oldest = list.reduce((a, b) => (b.idleMs > a.idleMs ? b : a));
    if (oldest.idleMs < IN_USE_MS) return;
    list.splice(list.indexOf(oldest), 1);
  }
  list.push({ value, idleMs: 0, guess });
}

/** Notes a lease's name and client id. */
export function noteIdentity(track: Track, name: string, clientId: string): void {
  noteWord(track.names, name, MOST_NAMES);
  noteWord(track.clientIds, clientId, MOST_NAMES);
}

/** Notes that a host is not the device. */
export function noteOther(track: Track, mac: string): void {
  noteWord(track.others, mac, MOST_OTHERS);
}

function noteWord(list: string[], word: string, most: number): void {
  if (word === '' || list.includes(word)) return;
  list.push(word);
  if (list.length > most) list.shift();
}

/** What is worth a write to flash: all that was learned, but not how long ago it was seen. */
export function fingerprint(tracks: readonly Track[]): string {
  const values = (list: readonly Known[]) => list.map(({ value, guess }) => [value, guess]);
  const learned = tracks.filter(
    ({ macs, addresses, names, clientIds }) =>
      macs.length + addresses.length + names.length + clientIds.length > 0,
  );
  return JSON.stringify(
    learned.map(({ dev: _, ...track }) => ({
      ...track,
      macs: values(track.macs),
      addresses: values(track.addresses),
    })),
  );
}

export function renderTracks(tracks: readonly Track[]): string {
  return `${JSON.stringify({ version: 1, tracks }, null, 1)}\n`;
}

/** Reads what {@link renderTracks} wrote; whatever else stands there is nothing known. */
export function parseTracks(text: string): Track[] {
  let kept: unknown;
  try {
    kept = JSON.parse(text);
  } catch {
    return [];
  }
  const { version, tracks } = fieldsOf(kept);
  if (version !== 1 || !Array.isArray(tracks)) return [];
  return tracks.slice(0, 1000).flatMap((one) => {
    const { key, macs, addresses, names, clientIds, others, dev } = fieldsOf(one);
    if (typeof key !== 'string') return [];
    return [
      {
        key,
        macs: readKnown(macs, isMac).slice(0, MOST_MACS),
        addresses: readKnown(addresses, (text) => ipVersion(text) !== 0).slice(0, MOST_ADDRESSES),
        names: readWords(names).slice(0, MOST_NAMES),
        clientIds: readWords(clientIds).slice(0, MOST_NAMES),
        others: readWords(others).filter(isMac).slice(0, MOST_OTHERS),
        dev: typeof dev === 'string' ? dev : '',
      },
    ];
  });
}

function isMac(text: string): boolean {
  return /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/.test(text);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function readWords(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

function readKnown(value: unknown, sound: (text: string) => boolean): Known[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one) => {
    const { value: text, idleMs, guess } = fieldsOf(one);
    if (typeof text !== 'string' || !sound(text)) return [];
    const idle = typeof idleMs === 'number' && idleMs > 0 ? idleMs : 0;
    return [{ value: text, idleMs: idle, guess: guess === true }];
  });
}
