// What the service mends by itself, where its status tells of it.
import test from 'ava';
import { renderAs, renderConfigStatus } from '../../src/core/home/answers.ts';
import type { Status } from '../../src/core/home/api.ts';
import { findMending } from '../../src/core/home/mending.ts';
import { type Notice, notice } from '../../src/core/notices/notice.ts';

const off = notice('auto-includes-off', {
  path: 'firewall.@defaults[0].auto_includes',
  command:
    'uci set firewall.@defaults[0].auto_includes=1; uci commit firewall; service firewall restart',
});
const dropped = notice('devices-dropped-by', {
  chain: 'ip filter FORWARD',
  command: 'nft insert rule ip filter FORWARD iifname "iotvpn0" accept',
});
const short = notice('upload-short', { percent: 66, rate: 100, fits: 63, command: 'reboot' });

function statusWith(trouble: Notice | null, ...warnings: Notice[]): Status {
  const config = renderConfigStatus({ ok: true, errors: [], warnings });
  return { config, ...(trouble && renderAs('trouble', trouble)) } as Status;
}

test('commands are those that the status has, each as a shell would run it', (t) => {
  t.deepEqual(findMending(statusWith(null, short, off), 'auto-includes-off'), [
    ['uci', 'set', 'firewall.@defaults[0].auto_includes=1'],
    ['uci', 'commit', 'firewall'],
    ['/etc/init.d/firewall', 'restart'],
  ]);
  t.deepEqual(findMending(statusWith(dropped, off), 'devices-dropped-by'), [
    ['nft', 'insert', 'rule', 'ip', 'filter', 'FORWARD', 'iifname', 'iotvpn0', 'accept'],
  ]);
});

test('what the status does not tell, or is for a person to decide, is not mended', (t) => {
  t.deepEqual(findMending(statusWith(dropped), 'auto-includes-off'), []);
  t.deepEqual(findMending(statusWith(null, short), 'upload-short'), []);
  t.deepEqual(findMending(statusWith(null), 'constructor'), []);
});
