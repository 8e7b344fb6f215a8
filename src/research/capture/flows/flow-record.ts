// A flow as routers export it: who talked to whom, from when to when, how much; no packets.

/** One direction of a flow, or both where `reply` says what came back. */
export interface FlowRecord {
  /** When its first packet was seen. */
  timeS: number;
  /** From its first packet to its last. */
  durationS: number;
  source: string;
  destination: string;
  /** Lower case with colons; null where the record has none. */
  sourceMac: string | null;
  destinationMac: string | null;
  protocol: number;
  sourcePort: number | null;
  destinationPort: number | null;
  packets: number;
  bytes: number;
  reply: { packets: number; bytes: number } | null;
}

/** What was looked up or said, by whom. */
export interface NameRecord {
  /** Address or MAC of who asked for it. */
  asker: string | null;
  name: string;
  /** Addresses behind the name, as far as they were told. */
  addresses: readonly string[];
}

/** A flow that says it lasted longer is damaged: routers end flows after minutes. */
export const LONGEST_FLOW_S = 7 * 86_400;

/** Whether a record can be true. */
export function isPlausible({ timeS, durationS, packets, bytes }: FlowRecord): boolean {
  const isTime = timeS >= 0 && durationS >= 0 && durationS <= LONGEST_FLOW_S;
  return isTime && packets >= 0 && bytes >= 0 && Number.isFinite(bytes);
}
