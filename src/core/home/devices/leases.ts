// DHCP leases as the router's servers write them down: who got which address, under what name.

/** One lease. */
export interface Lease {
  /** Lower case; '' where the server goes by something else, as for DHCPv6. */
  mac: string;
  address: string;
  /** The name the host gave itself; '' for none. */
  name: string;
  /** DHCP client id (RFC 2132, option 61) in hexadecimal; '' for none. */
  clientId: string;
}

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** Leases of dnsmasq: `EXPIRY MAC IP NAME CLIENTID`, `*` for what is not known. */
export function parseDnsmasqLeases(text: string): Lease[] {
  return text.split('\n').flatMap((line) => {
    const [, mac = '', address = '', name = '', clientId = ''] = line.split(' ');
    if (address === '') return [];
    const known = (word: string) => (word === '*' ? '' : word);
    const hardware = mac.toLowerCase();
    return [
      {
        mac: MAC.test(hardware) ? hardware : '',
        address,
        name: known(name),
        clientId: known(clientId).toLowerCase(),
      },
    ];
  });
}

/** IPv4 leases of odhcpd, where it serves them: `# NETDEV MAC ipv4 NAME EXPIRY HOST 32 IP/32` (odhcpd, dhcpv6-ia.c). */
export function parseOdhcpdLeases(text: string): Lease[] {
  return text.split('\n').flatMap((line) => {
    const [mark, , hardware = '', family, name = '', , , , cidr = ''] = line.split(' ');
    if (mark !== '#' || family !== 'ipv4' || !/^[0-9a-f]{12}$/i.test(hardware)) return [];
    const mac = hardware.toLowerCase().match(/../g)!.join(':');
    const address = cidr.replace(/\/32$/, '');
    return address === '' ? [] : [{ mac, address, name: name === '-' ? '' : name, clientId: '' }];
  });
}

/** Names by address and by MAC. */
export function namesOf(leases: readonly Lease[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const { mac, address, name } of leases) {
    if (name === '') continue;
    if (mac !== '') names.set(mac, name);
    names.set(address, name);
  }
  return names;
}
