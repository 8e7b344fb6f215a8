// Lease files of both of OpenWrt's DHCP servers.
import test from 'ava';
import {
  namesOf,
  parseDnsmasqLeases,
  parseOdhcpdLeases,
} from '../../src/core/home/devices/leases.ts';

test('dnsmasq: IPv4 with hardware, IPv6 without', (t) => {
  const text = [
    '1763855512 18:B4:30:00:00:09 192.168.8.9 Echo-Dot 01:18:B4:30:00:00:09',
    '0 00:11:22:33:44:55 192.168.8.10 * *',
    'duid 00:01:00:01:2c:aa:bb:cc:00:11:22:33:44:55',
    '1763855512 12345 fd00:8::9 Echo-Dot 00:01:00:01',
    '',
  ].join('\n');
  t.deepEqual(parseDnsmasqLeases(text), [
    {
      mac: '18:b4:30:00:00:09',
      address: '192.168.8.9',
      name: 'Echo-Dot',
      clientId: '01:18:b4:30:00:00:09',
    },
    { mac: '00:11:22:33:44:55', address: '192.168.8.10', name: '', clientId: '' },
    { mac: '', address: 'fd00:8::9', name: 'Echo-Dot', clientId: '00:01:00:01' },
  ]);
});

test('odhcpd: IPv4 rows alone', (t) => {
  const text = [
    '# br-lan 00010001aabb 5 phone 1763855512 a 128 fd00::a/128',
    'fd00::a\tphone',
    '# br-lan 18b430000009 ipv4 Echo-Dot 1763855512 9 32 192.168.8.9/32 ',
    '# br-lan 001122334455 ipv4 - 1763855512 a 32 192.168.8.10/32 ',
    '# br-lan 001122334455 ipv4 - 1763855512 a 32',
  ].join('\n');
  t.deepEqual(parseOdhcpdLeases(text), [
    { mac: '18:b4:30:00:00:09', address: '192.168.8.9', name: 'Echo-Dot', clientId: '' },
    { mac: '00:11:22:33:44:55', address: '192.168.8.10', name: '', clientId: '' },
  ]);
});

test('names are found by hardware and by address', (t) => {
  const names = namesOf([
    { mac: '', address: 'fd00::9', name: 'tv', clientId: '' },
    { mac: '18:b4:30:00:00:09', address: '192.168.8.9', name: 'dot', clientId: '' },
    { mac: '00:11:22:33:44:55', address: '192.168.8.10', name: '', clientId: '' },
  ]);
  t.deepEqual(
    [...names],
    [
      ['fd00::9', 'tv'],
      ['18:b4:30:00:00:09', 'dot'],
      ['192.168.8.9', 'dot'],
    ],
  );
});
