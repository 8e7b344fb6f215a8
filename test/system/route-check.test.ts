// Which host's packet the kernel is asked about.
import test from 'ava';
import { hostOf } from '../../src/shell/network/route-check.ts';

test('a host near the end of its prefix', (t) => {
  t.is(hostOf('192.168.8.0/24'), '192.168.8.253');
  t.is(hostOf('192.168.8.0/22'), '192.168.11.253');
  t.is(hostOf('10.0.0.0/8'), '10.255.255.253');
});
