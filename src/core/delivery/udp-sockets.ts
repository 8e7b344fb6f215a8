// Which UDP sockets are bound, as /proc/net/udp and ss list them, and what takes a port from whoever has it.

/** Address and port of each, as the kernel prints them. */
function placesOf(listing: string): string[] {
  return [...listing.matchAll(/^\s*\d+: (\w+:\w+) /gm)].map(([, place]) => place!);
}

/** Whether a socket has this IPv4 address and port, not merely all addresses. */
export function hasUdpSocket(listing: string, address: string, port: number): boolean {
  // The kernel prints the address as one number, in the byte order of the machine.
  const hex = (value: number, length: number): string =>
    value.toString(16).toUpperCase().padStart(length, '0');
  const words = address.split('.').map((byte) => hex(Number(byte), 2));
  const [forward, backward] = [words.join(''), [...words].reverse().join('')];
  const places = placesOf(listing);
  return [forward, backward].some((one) => places.includes(`${one}:${hex(port, 4)}`));
}

/** All ports that are bound. */
export function listUdpPorts(listing: string): number[] {
  return placesOf(listing).map((place) => parseInt(place.split(':')[1]!, 16));
}

/** A program that has a port. */
export interface PortHolder {
  name: string;
  pid: number;
  /** systemd's, which would start it again; null where it has none of its own. */
  unit: string | null;
}

/** Who keeps others from an address. */
export interface PortHolders {
  isTaken: boolean;
  /** None where they may not be seen, or where the kernel itself has it, as it does for WireGuard. */
  programs: readonly PortHolder[];
}

/** Who has this address, or all addresses, in what `ss -Hlunp` prints of a port; with null, who has it at any address. */
export function parseHolders(listing: string, address: string | null): PortHolders {
  const lines = listing.split('\n').filter((line) => {
    const local = /^UNCONN\s+\d+\s+\d+\s+(\S+):\d+\s/.exec(line)?.[1]?.replace(/%.*/, '');
    if (local === undefined) return false;
    return address === null || ['0.0.0.0', '*', address].includes(local);
  });
  const programs = lines.flatMap((line) =>
    [...line.matchAll(/\("([^"]+)",pid=(\d+)/g)].map(([, name, pid]) => ({
      ...{ name: name!, pid: Number(pid), unit: null },
    })),
  );
  const isFirst = ({ pid }: PortHolder, index: number): boolean =>
    programs.findIndex((other) => other.pid === pid) === index;
  return { isTaken: lines.length > 0, programs: programs.filter(isFirst) };
}

/** A process's service, of what /proc/PID/cgroup has; null where systemd would not start it again, or others with it. */
export function unitOf(cgroup: string): string | null {
  const unit = /\/system\.slice\/(?:.*\/)?([^/\n]+\.service)(?:\/|$)/m.exec(cgroup)?.[1] ?? null;
  // A container's port is held by Docker's own service, which has all the others.
  return unit === 'docker.service' ? null : unit;
}

/** The command that ends them for good; null where none is known. */
export function commandToStop({ programs }: PortHolders): string | null {
  if (programs.length === 0) return null;
  const units = new Set(programs.flatMap(({ unit }) => (unit === null ? [] : [unit])));
  const pids = programs.filter(({ unit }) => unit === null).map(({ pid }) => pid);
  return [
    ...(units.size > 0 ? [`systemctl disable --now ${[...units].join(' ')}`] : []),
    ...(pids.length > 0 ? [`kill ${pids.join(' ')}`] : []),
  ].join('; ');
}
