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

/** Programs that keep others from this address, each once, in what `ss -Hlunp` prints: they have it, or all addresses. */
export function parseHolders(listing: string, address: string): string[] {
  const names = listing.split('\n').flatMap((line) => {
    const local = /^UNCONN\s+\d+\s+\d+\s+(\S+):\d+\s/.exec(line)?.[1] ?? '';
    if (!['0.0.0.0', '*', address].includes(local.replace(/%.*/, ''))) return [];
    return [...line.matchAll(/\("([^"]+)",pid/g)].map(([, name]) => name!);
  });
  return [...new Set(names)];
}
