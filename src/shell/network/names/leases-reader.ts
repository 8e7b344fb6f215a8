// Reads the leases of this machine's DHCP servers, wherever its system has them written down.
import {
  type Lease,
  parseDnsmasqLeases,
  parseOdhcpdLeases,
} from '../../../core/home/devices/leases.ts';
import type { System } from '../../system/system.ts';

/** dnsmasq's: OpenWrt, Debian. */
const DNSMASQ_LEASES = ['/tmp/dhcp.leases', '/var/lib/misc/dnsmasq.leases'];
/** Of each connection that NetworkManager shares, `dnsmasq-NETDEV.leases`. */
const NETWORK_MANAGER = '/var/lib/NetworkManager';
const ODHCPD_LEASES = ['/tmp/hosts/odhcpd', '/tmp/odhcpd.leases'];

type Read = (path: string) => Promise<string>;

/** Leases of dnsmasq alone, which is the house's resolver too. @param read a file's text, '' where there is none */
export async function readDnsmasqLeases(
  { files }: Pick<System, 'files'>,
  read: Read,
): Promise<Lease[]> {
  const names = await files.list(NETWORK_MANAGER).catch(() => []);
  const shared = names.filter((name) => /^dnsmasq-.+\.leases$/.test(name));
  const paths = [...DNSMASQ_LEASES, ...shared.map((name) => `${NETWORK_MANAGER}/${name}`)];
  return (await Promise.all(paths.map(read))).flatMap((text) => parseDnsmasqLeases(text));
}

export async function readLeases(system: Pick<System, 'files'>): Promise<Lease[]> {
  const read: Read = (path) => system.files.readText(path).catch(() => '');
  const odhcpd = await Promise.all(ODHCPD_LEASES.map(read));
  return [
    ...(await readDnsmasqLeases(system, read)),
    ...odhcpd.flatMap((text) => parseOdhcpdLeases(text)),
  ];
}
