import { readFileSync } from 'node:fs';
import test from 'ava';
import { Acl } from './bridge/acl.ts';
import { sessionOf } from './bridge/server.ts';
import { startRouter } from './router.ts';

interface Recorded {
  tag: string;
  request: string;
  response: string;
}

const transcript = JSON.parse(
  readFileSync('test/fixtures/luci/rpc-transcript.json', 'utf8'),
) as Recorded[];

/** What was asked of `system` there is asked of `iotshaper` here. */
const here = (text: string) =>
  text.replaceAll('"system"', '"iotshaper"').replaceAll(/session02000+/g, sessionOf.write);

test('the bridge answers as uhttpd and rpcd did', async (t) => {
  const router = await startRouter();
  t.teardown(() => router.close());
  const url = new URL('/ubus', router.url);
  t.true(transcript.length >= 11);
  for (const { tag, request, response } of transcript) {
    const answer = await fetch(url, { method: 'POST', body: here(request) });
    t.deepEqual(await answer.json(), JSON.parse(here(response)), tag);
  }
});

test('a batch is answered in its order', async (t) => {
  const router = await startRouter();
  t.teardown(() => router.close());
  const call = (id: number, session: string) => ({
    jsonrpc: '2.0',
    id,
    method: 'call',
    params: [session, 'iotshaper', 'status', {}],
  });
  const body = JSON.stringify([call(7, sessionOf.write), call(8, sessionOf.none)]);
  const answer = await fetch(new URL('/ubus', router.url), { method: 'POST', body });
  const [first, second] = (await answer.json()) as Record<string, unknown>[];
  t.like(first, { id: 7, result: { 0: 0 } });
  t.deepEqual(second, { jsonrpc: '2.0', id: 8, error: { code: -32002, message: 'Access denied' } });
});

test('a login that may read can change nothing', async (t) => {
  const router = await startRouter();
  t.teardown(() => router.close());
  const before = readFileSync(router.configPath, 'utf8');
  const url = new URL('/ubus', router.url);
  const changing = [
    ['uci', 'set', { config: 'iotshaper', section: 'main', values: { rate: '5' } }],
    ['uci', 'add', { config: 'iotshaper', type: 'device' }],
    ['uci', 'delete', { config: 'iotshaper', section: 'main' }],
    ['uci', 'apply', {}],
    ['uci', 'confirm', {}],
    ['iotshaper', 'reload', {}],
    ['iotshaper', 'audit', { seconds: 60 }],
    ['iotshaper', 'profile_check', { text: 'client' }],
    ['iotshaper', 'profile_store', { text: 'client' }],
    ['iotshaper', 'mend', { code: 'auto-includes-off' }],
    ['rc', 'init', { name: 'iotshaper', action: 'stop' }],
    ['file', 'exec', { command: '/etc/init.d/iotshaper', params: ['start'] }],
  ];
  for (const [object, method, args] of changing) {
    const request = {
      jsonrpc: '2.0',
      id: 1,
      method: 'call',
      params: [sessionOf.read, object, method, args],
    };
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(request) });
    const { error } = (await answer.json()) as { error?: { code: number } };
    t.is(error?.code, -32002, `${object} ${method}`);
  }
  const apply = await fetch(new URL('/cgi-bin/luci/admin/uci/apply_unchecked', router.url), {
    method: 'POST',
    body: `sid=${sessionOf.read}`,
  });
  t.is(apply.status, 403);
  t.is(readFileSync(router.configPath, 'utf8'), before);
  t.is(router.service.profile, '');
});

test('the page is granted what it calls and no more', (t) => {
  const acl = new Acl();
  const text = readFileSync('luci-app/root/usr/share/rpcd/acl.d/luci-app-iotshaper.json', 'utf8');
  const { read, write } = (
    JSON.parse(text) as Record<string, Record<string, { ubus: Record<string, string[]> }>>
  )['luci-app-iotshaper']!;
  t.deepEqual(acl.groups, ['luci-app-iotshaper']);
  // No wildcards, nothing that runs other programs, reads files, or stops this service or starts others.
  t.false(/[*?]/.test(text));
  t.deepEqual(Object.keys(read!).sort(), ['ubus', 'uci']);
  t.deepEqual(Object.keys(write!).sort(), ['file', 'ubus', 'uci']);
  t.deepEqual(Object.keys(write!.ubus).sort(), ['file', 'iotshaper', 'uci']);
  t.deepEqual(write!.ubus.file, ['exec']);
  for (const [action, granted] of [
    ['start', true],
    ['enable', true],
    ['stop', false],
    ['start; reboot', false],
  ] as const) {
    t.is(acl.allows('write', 'file', `/etc/init.d/iotshaper ${action}`, 'exec'), granted, action);
    t.false(acl.allows('read', 'file', `/etc/init.d/iotshaper ${action}`, 'exec'));
  }
  t.deepEqual(read!.ubus.rc, ['list']);
  t.true(acl.allows('read', 'uci', 'iotshaper', 'read'));
  t.false(acl.allows('read', 'uci', 'iotshaper', 'write'));
  t.false(acl.allows('write', 'uci', 'network', 'read'));
});
