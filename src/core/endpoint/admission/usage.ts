// Data a month: what the kernel's counters say went to each home and came from it, as the server's provider counts it. Pure.
import { TUNNEL_OVERHEAD_BYTES } from '../../cost/cost.ts';

const GB = 1e9;
/** What the kernel counts of a packet on an Ethernet netdev besides its IP packet. */
export const ETHERNET_BYTES = 14;

/** What was counted of one home, both ways together. */
export interface Usage {
  /** `2026-11`, UTC. */
  month: string;
  /** Bytes by the home's name. */
  homes: Readonly<Record<string, number>>;
}

export const NO_USAGE: Usage = { month: '', homes: {} };

export function monthOf(unixS: number): string {
  return new Date(unixS * 1000).toISOString().slice(0, 7);
}

/** What was counted in this month. A clock that goes back to an earlier one, as before it was set, begins none. */
export function usageAt(usage: Usage, unixS: number): Usage {
  const month = monthOf(unixS);
  return month > usage.month ? { month, homes: {} } : usage;
}

export function usedGB({ homes }: Usage, name: string): number {
  return (Object.hasOwn(homes, name) ? homes[name]! : 0) / GB;
}

/** The same with what other endpoints of a fleet had counted of it by the time they could be heard last. */
export function usedEverywhereGB(
  { usage, elsewhere }: { usage: Usage; elsewhere: Usage },
  name: string,
): number {
  return usedGB(usage, name) + (elsewhere.month === usage.month ? usedGB(elsewhere, name) : 0);
}

/** What others have counted, where all together have counted this. @param own counted here */
export function elsewhereOf(all: Usage, own: Usage): Usage {
  const homes = Object.entries(all.homes).flatMap(([name, bytes]) => {
    const more = bytes - (Object.hasOwn(own.homes, name) ? own.homes[name]! : 0);
    return more > 0 ? [[name, more] as const] : [];
  });
  return { month: all.month, homes: Object.fromEntries(homes) };
}

export function withBytes(usage: Usage, name: string, bytes: number): Usage {
  if (bytes === 0) return usage;
  const before = Object.hasOwn(usage.homes, name) ? usage.homes[name]! : 0;
  return { ...usage, homes: { ...usage.homes, [name]: before + bytes } };
}

/** Of these homes alone. */
export function usageOf(usage: Usage, names: readonly string[]): Usage {
  const kept = Object.entries(usage.homes).filter(([name]) => names.includes(name));
  return { ...usage, homes: Object.fromEntries(kept) };
}

/** A counter of the kernel's, as it was read. */
export interface Reading {
  /** Which counter: another one begins anew. */
  of: 'clock' | 'tunnel' | 'rules';
  packets: number;
  bytes: number;
}

/** What came to be counted since the reading before, as it is on the wire. One that begins anew has counted all it says since. */
export function bytesBetween(before: Reading | undefined, after: Reading): number {
  if (before?.of !== after.of) return 0;
  const isAnew = after.bytes < before.bytes || after.packets < before.packets;
  const packets = isAnew ? after.packets : after.packets - before.packets;
  const bytes = isAnew ? after.bytes : after.bytes - before.bytes;
  // Behind OpenVPN whole packets are counted, with their Ethernet header; before it what OpenVPN wraps.
  const more = after.of === 'clock' ? -ETHERNET_BYTES : TUNNEL_OVERHEAD_BYTES;
  return Math.max(0, bytes + packets * more);
}

/** As a file has it; null where that is damaged. */
export function readUsage(value: unknown): Usage | null {
  if (typeof value !== 'object' || value === null) return null;
  const { month, homes } = value as Record<string, unknown>;
  if (typeof month !== 'string' || !/^\d{4}-\d\d$/.test(month)) return null;
  if (typeof homes !== 'object' || homes === null || Array.isArray(homes)) return null;
  const isSound = Object.values(homes).every(
    (bytes) => typeof bytes === 'number' && Number.isFinite(bytes) && bytes >= 0,
  );
  return isSound ? { month, homes: homes as Usage['homes'] } : null;
}
