// What really left for each home and came from it: data a month, what comes a second, and what of their slots homes get.

import { SlotMeter } from '../../../home/slot-meter.ts';
import type { ByteCount } from '../../../netlink/nft-messages.ts';
import { CLOCK_HANDLE } from '../../../plan/names.ts';
import { tunnelAddress } from '../../../plan/nft/nft-endpoint.ts';
import { classId } from '../../../plan/tc.ts';
import type { TcListing } from '../../../plan/tc-listing.ts';
import {
  isServerShort,
  type Share,
  shareOf,
  shortNotice,
  shortOf,
} from '../../admission/shares.ts';
import { bytesBetween, type Reading, usageAt, usageOf, withBytes } from '../../admission/usage.ts';
import { standingOf } from '../clock.ts';
import type { EndpointState } from '../state.ts';
import { log, type Turn } from '../turn.ts';

/** What comes of a home is measured over so long. */
const COMING_MS = 20_000;
/** What was counted is kept on disk so often. */
const KEEP_EVERY_MS = 60_000;
/** While it goes on it stands in the log so often. */
const SHORT_TOLD_EVERY_MS = 600_000;

/** What was counted of one home. */
export interface Tally {
  down: Reading | undefined;
  up: Reading | undefined;
  /** What came of it. */
  packets: SlotMeter;
  bytes: SlotMeter;
}

export const NO_TALLY: Tally = {
  ...{ down: undefined, up: undefined },
  ...{ packets: SlotMeter.EMPTY, bytes: SlotMeter.EMPTY },
};

/** What comes of a home; null while that was not counted for long enough. */
export function comingOf(
  { tallies }: EndpointState,
  host: number,
): { kBps: number; slots: number } | null {
  const tally = tallies.get(host);
  const bytes = tally?.bytes.perSecond(COMING_MS) ?? null;
  const slots = tally?.packets.perSecond(COMING_MS) ?? null;
  return bytes === null || slots === null ? null : { kBps: bytes / 1000, slots };
}

/** Takes in what was sent by homes' classes: behind OpenVPN where there is such a class, since nothing is lost after it. */
export function countSent(turn: Turn, listing: TcListing): void {
  const { state } = turn;
  count(turn, (host, tally) => {
    const isClocked = standingOf(state, host) > 0;
    const id = isClocked ? classId(host, CLOCK_HANDLE) : classId(host);
    const listed = (isClocked ? listing.clock : listing)?.classes.find((one) => one.id === id);
    if (!listed) return null;
    const of = isClocked ? 'clock' : 'tunnel';
    const down: Reading = { of, packets: listed.packets, bytes: listed.bytes };
    return { bytes: bytesBetween(tally.down, down), tally: { ...tally, down } };
  });
}

/** Takes in what came of homes, by tunnel address. */
export function countReceived(
  turn: Turn,
  received: ReadonlyMap<string, ByteCount>,
  takenMs: number,
): void {
  const { identity } = turn.state.place;
  count(turn, (host, tally) => {
    const came = received.get(tunnelAddress(identity, host));
    if (!came) return null;
    const up: Reading = { of: 'rules', ...came };
    const packets = tally.packets.with(came.packets, takenMs);
    const bytes = tally.bytes.with(came.bytes, takenMs);
    return { bytes: bytesBetween(tally.up, up), tally: { ...tally, up, packets, bytes } };
  });
}

function count(
  { state, now }: Turn,
  read: (host: number, tally: Tally) => { bytes: number; tally: Tally } | null,
): void {
  const tallies = new Map<number, Tally>();
  let usage = usageAt(state.usage, now.unixS);
  for (const { host, name } of state.homes) {
    const before = state.tallies.get(host) ?? NO_TALLY;
    const found = read(host, before);
    tallies.set(host, found?.tally ?? before);
    if (found) usage = withBytes(usage, name, found.bytes);
  }
  state.tallies = tallies;
  state.usage = usage;
}

/** Has what was counted kept, once in a while. */
export function keepUsage(turn: Turn, isEnd = false): void {
  const { state, acts, now } = turn;
  if (!isEnd && now.monotonicMs - state.usageKeptMs < KEEP_EVERY_MS) return;
  state.usageKeptMs = now.monotonicMs;
  const names = state.homes.map(({ name }) => name);
  state.usage = usageOf(state.usage, names);
  if (state.usage.month !== '') acts.push({ do: 'keep-usage', usage: state.usage });
}

/** What homes got of their slots in the last minute, where that was measured. */
function sharesOf(state: EndpointState): Share[] {
  return state.sessions.flatMap(({ host, name, standing, clocked, meter }) => {
    if (standing === null) return [];
    const share = shareOf(standingOf(state, host) > 0 ? clocked : meter, standing);
    return share === null ? [] : [{ name, share }];
  });
}

/** Tells of homes that get less than they were promised. */
export function noteShares(turn: Turn): void {
  const { state, now } = turn;
  const shares = sharesOf(state);
  state.short = shortNotice(shortOf(shares));
  state.isServerShort = isServerShort(shares);
  if (!state.short || now.monotonicMs - state.shortToldMs < SHORT_TOLD_EVERY_MS) return;
  state.shortToldMs = now.monotonicMs;
  log(turn, 'warning', state.short);
}
