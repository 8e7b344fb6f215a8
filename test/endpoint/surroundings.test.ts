// What is on the endpoint's own links, out of what ip lists, and what of its netdevs others have altered.
import test from 'ava';
import { findNear, isAltered } from '../../src/core/endpoint/surroundings.ts';
import { NOT_INTERNET } from '../../src/core/plan/nft/nft-endpoint.ts';
import { addressInfo } from '../system/netdevs.ts';

const OURS = ['iot0', 'iotvpn0'];

/** A server in a provider's network of both families, with Docker and a VPN of its own. */
const links = [
  ['lo', '127.0.0.1/8', '::1/128'],
  ['eth0', '203.0.113.10/22', '2001:db8:7::10/64', 'fe80::1/64'],
  ['docker0', '172.17.0.1/16'],
  ['iot0', '10.214.0.1/16'],
  ['iotvpn0', '10.213.0.1/24'],
].map(([ifname = '', ...cidrs], ifindex) => ({
  ...{ ifindex, ifname, flags: ['UP'] },
  addr_info: cidrs.map((cidr) => addressInfo(cidr, 'global')),
}));

test('a server’s own networks are its neighbours’, and what no home reaches anyway is left out', (t) => {
  t.deepEqual(findNear(links, [], OURS, NOT_INTERNET), ['2001:db8:7::/64', '203.0.112.0/22']);
});

test('routers and leases name networks on the link, too; what people route elsewhere is the Internet', (t) => {
  const routes = [
    { dst: 'default', gateway: '203.0.113.1', dev: 'eth0', protocol: 'dhcp' },
    { dst: '203.0.113.0/24', dev: 'eth0', protocol: 'kernel' },
    { dst: '2001:db8:9::/64', dev: 'eth0', protocol: 'ra' },
    { dst: '198.51.100.1', dev: 'eth0', protocol: 'dhcp' },
    { dst: '192.0.2.0/24', gateway: '203.0.113.1', dev: 'eth0', protocol: 'dhcp' },
    { dst: '192.0.2.0/24', via: { family: 'inet6', host: 'fe80::1' }, dev: 'eth0', protocol: 'ra' },
    { dst: '0.0.0.0/1', dev: 'wg0', protocol: 'boot' },
    { dst: '0.0.0.0/1', dev: 'wg0', protocol: 'kernel' },
    { dst: '192.0.2.0/25', dev: 'iot0', protocol: 'kernel' },
    { dst: '192.0.2.0/26', type: 'unreachable', dev: 'lo', protocol: 'kernel' },
  ];
  t.deepEqual(findNear([], routes, OURS, NOT_INTERNET), [
    ...['198.51.100.1/32', '2001:db8:9::/64', '203.0.113.0/24'],
  ]);
});

test('of two ends with addresses of their own both are near', (t) => {
  const ppp = {
    ifindex: 9,
    ifname: 'venet0',
    addr_info: [{ local: '203.0.113.10', address: '198.51.100.1', prefixlen: 32 }],
  };
  t.deepEqual(findNear([ppp], [], OURS, []), ['198.51.100.1/32', '203.0.113.10/32']);
  t.deepEqual(findNear([{ ifindex: 2, ifname: 'eth0' }], [], OURS, []), []);
});

test('a netdev is as it was made while it is up and has its addresses, however they are written', (t) => {
  const own = { name: 'iot0', index: 3, addresses: ['10.214.0.1/16', 'fd12:0034:0::1/48'] };
  const link = {
    ...{ ifindex: 3, ifname: 'iot0', flags: ['UP'] },
    addr_info: [
      ...[addressInfo('10.214.0.1/16', 'global'), addressInfo('fd12:34::1/48', 'global')],
      addressInfo('fe80::2/64', 'link'),
    ],
  };
  const isSo = (change: object) => isAltered(own, [{ ...link, ...change }]);
  t.false(isSo({}));
  t.true(isSo({ flags: ['LOWER_UP'] }));
  t.true(isSo({ addr_info: link.addr_info.slice(1) }));
  t.true(isSo({ addr_info: [addressInfo('10.214.0.1/24', 'global'), link.addr_info[1]] }));
  t.false(isSo({ ifindex: 4, flags: [] }), 'another one');
  t.false(isAltered(own, []));
});
