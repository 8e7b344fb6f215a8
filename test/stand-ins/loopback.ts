// Loopback addresses that no other process takes: the ports of a tunnel are fixed, and two suites may run beside each other.

/** Two bytes of 127.x.y.z are the process's. */
const prefix = `127.${(process.pid >> 8) & 255}.${process.pid & 255}`;

let last = 1; // 127.0.0.1 is everybody's

/** Another address each time, of this process alone. */
export function ownAddress(): string {
  last += 1;
  if (last > 254) throw new Error('this process has no loopback address left');
  return `${prefix}.${last}`;
}

/** Those of two ends, ours first. */
export function ownEnds(): [local: string, peer: string] {
  return [ownAddress(), ownAddress()];
}
