// How often home and endpoint talk to each other: each time takes a slot either way.

const REPEAT_MS = 2000;
/** An answer takes a slot each way and may wait behind two others. */
const SLOTS_BETWEEN = 20;
const URGENT_MS = 700;
const URGENT_SLOTS = 4;

/** Pause between two hellos where slots are `slotMs` apart on average, once the endpoint has answered. */
export function helloEveryMs(slotMs: number): number {
  return Math.max(REPEAT_MS, SLOTS_BETWEEN * slotMs);
}

/** The same until it answers. */
export function urgentHelloEveryMs(slotMs: number): number {
  return Math.max(URGENT_MS, URGENT_SLOTS * slotMs);
}
