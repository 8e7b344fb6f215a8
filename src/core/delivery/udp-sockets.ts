// Which UDP sockets are bound, as /proc/net/udp lists them.

/** Whether a socket has this IPv4 address and port, not merely all addresses. */
export function hasUdpSocket(listing: string, address: string, port: number): boolean {
  // The kernel prints the address as one number, in the byte order of the machine.
  const hex = (value: number, length: number): string =>
    value.toString(16).toUpperCase().padStart(length, '0');
  const words = address.split('.').map((byte) => hex(Number(byte), 2));
  const [forward, backward] = [words.join(''), [...words].reverse().join('')];
  const places = listing.split('\n').map((line) => /^\s*\d+: (\w+:\w+) /.exec(line)?.[1] ?? '');
  return [forward, backward].some((one) => places.includes(`${one}:${hex(port, 4)}`));
}

/** Who keeps others from an address. */
export interface PortHolders {
  isTaken: boolean;
  /** Programs by name, each once; none where that may not be seen. */
  names: readonly string[];
}

/** Who has this address, or all addresses, in what `ss -Hlunp` prints of a port; with null, who has it at any address. */
export function parseHolders(listing: string, address: string | null): PortHolders {
  const lines = listing.split('\n').filter((line) => {
    const local = /^UNCONN\s+\d+\s+\d+\s+(\S+):\d+\s/.exec(line)?.[1]?.replace(/%.*/, '');
    if (local === undefined) return false;
    return address === null || ['0.0.0.0', '*', address].includes(local);
  });
  const names = lines.flatMap((line) =>
    [...line.matchAll(/\("([^"]+)",pid/g)].map(([, name]) => name!),
  );
  return { isTaken: lines.length > 0, names: [...new Set(names)] };
}
