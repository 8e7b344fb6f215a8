// The object `iotshaper` as a client of the bus sees it, over a service that answers what it is told to.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { renderConfigStatus, renderMessage, renderReason } from '../../src/core/home/answers.ts';
import type { HistorySample, ServiceApi, Status } from '../../src/core/home/api.ts';
import { notice } from '../../src/core/notices/notice.ts';
import { iotshaperPath, publishIotshaper } from '../../src/shell/ubus/iotshaper-object.ts';
import { type Bus, queue, startBus } from './setup.ts';

const overlap = notice('schedules-overlap', {
  path: 'iotshaper.late',
  earlier: '23:00–06:00',
  later: '05:00–05:30',
});
const refusal = notice('directive-refused', {
  directive: 'up /tmp/x',
  why: notice('runs-program'),
});

const status: Status = {
  state: 'shaping',
  ...renderReason(notice('shaping', { rate: 40.5 })),
  remarks: [notice('activity-hidden')],
  since: 1_753_000_000,
  version: '0.1.0',
  role: 'home',
  config: renderConfigStatus({ ok: true, errors: [], warnings: [overlap] }),
  rate: { upload_kBps: 40, download_kBps: 7.5, source: 'section rate' },
  mode: 'vit',
  packet_size: 512,
  killswitch: true,
  dns: false,
  tunnel: { state: 'up', remote: 'vps.example.org:1194', interface: 'iotvpn0' },
  upload: direction(),
  download: direction(),
  endpoint: { state: 'up', version: '0.1.0' },
  devices: [
    {
      name: 'Nest Cam',
      mac: '18:b4:30:00:00:01',
      ip: ['192.168.1.50'],
      policy: 'shape',
      online: true,
      kBps: 3.25,
      tx_bytes: 6_000_000_000,
      rx_bytes: 12,
    },
  ],
  house: [{ name: 'br-lan', prefixes: ['192.168.1.0/24', '2001:db8:81::/64'] }],
  not_house: [
    {
      name: 'zt0',
      why: 'zt0 may lead out of your home, as a VPN does',
      why_code: 'may-lead-out',
      why_values: { netdev: 'zt0' },
    },
  ],
  cost: { gb_per_month: 228.42 },
};

function direction() {
  return {
    target_pps: 78.125,
    pps: 78,
    device_kBps: 1.5,
    cover_kBps: 38.5,
    queue_packets: 0,
    queue_ms: 0,
    dropped: 0,
  };
}

const sample: HistorySample = {
  time: 1_753_000_000,
  upload_device_kBps: 1.5,
  download_device_kBps: 0,
  upload_wire_kBps: 40,
  download_wire_kBps: 40,
  queue_ms: 6.4,
  upload_pps: 78,
  download_pps: 78,
};

/** A service that notes what it is asked. */
function makeService() {
  const asked: unknown[] = [];
  const listeners = new Set<(status: Status) => void>();
  const service: ServiceApi = {
    status: () => status,
    history: () => Array.from({ length: 300 }, (_, second) => ({ ...sample, time: second })),
    check: async () => {
      const at = { path: 'iotshaper.main.rate', value: 'fast' };
      const allowed = notice('between', { least: '0.25', most: '10000', unit: 'KB/s' });
      const error = { ...notice('option-refused', { ...at, allowed }), ...at };
      return renderConfigStatus({ ok: false, errors: [error], warnings: [overlap] });
    },
    async reload() {
      asked.push('reload');
    },
    audit(request) {
      asked.push(request);
      return { started: true, seconds: request.seconds };
    },
    auditResult: () => ({ state: 'running', progress_percent: 12.5 }),
    recommend: async () => ({
      ok: true,
      ...renderReason(notice('recommendation-basis', { mean: 250, max: 2000 })),
      upload_kBps: 10,
    }),
    validateProfile: () => ({ ok: false, errors: [{ line: 1, ...renderMessage(refusal) }] }),
    mend(request) {
      asked.push(request);
      return { ok: false, ...renderReason(notice('nothing-to-mend')) };
    },
    storeProfile: () => ({ ok: true, errors: [], endpoint: 'vps.example.org:1194' }),
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { service, asked, listeners };
}

async function publish(bus: Bus) {
  const made = makeService();
  const object = publishIotshaper(await bus.connect(), made.service);
  await object.whenPresent();
  return { ...made, object, client: await bus.connect() };
}

test('every method answers with the types of the contract', async (t) => {
  const { client, service, asked } = await publish(await startBus(t));
  const ask = (method: string, args = {}) => client.call(iotshaperPath, method, args);
  t.deepEqual(await ask('status'), { ...status } as never);
  t.deepEqual(await ask('history'), { samples: service.history() } as never);
  t.deepEqual(await ask('check'), (await service.check()) as never);
  t.deepEqual(await ask('reload'), {});
  t.deepEqual(await ask('audit', { seconds: 60 }), { started: true, seconds: 60 });
  t.deepEqual(await ask('audit'), { started: true, seconds: 600 });
  t.deepEqual(await ask('audit_result'), { state: 'running', progress_percent: 12.5 });
  t.deepEqual(await ask('recommend'), (await service.recommend()) as never);
  t.deepEqual(await ask('profile_check', { text: 'x', ubus_rpc_session: 'rpcd adds this' }), {
    ok: false,
    errors: [{ line: 1, ...renderMessage(refusal) }],
  });
  t.deepEqual(await ask('profile_store', { text: 'x' }), {
    ok: true,
    errors: [],
    endpoint: 'vps.example.org:1194',
  });
  t.deepEqual(await ask('mend', { code: 'auto-includes-off' }), {
    ...{ ok: false, reason: 'there is nothing to mend any more' },
    ...{ reason_code: 'nothing-to-mend', reason_values: {} },
  });
  t.deepEqual(asked, ['reload', { seconds: 60 }, { seconds: 600 }, { code: 'auto-includes-off' }]);
});

const refuses = test.macro({
  title: (_, method: string, args: object) => `refused: ${method} ${JSON.stringify(args)}`,
  async exec(t, method: string, args: object) {
    const { client, asked } = await publish(await startBus(t));
    await t.throwsAsync(client.call(iotshaperPath, method, args), {
      message: `ubus call iotshaper ${method}: Invalid argument`,
    });
    t.deepEqual(asked, []);
  },
});

test(refuses, 'audit', { seconds: 9 });
test(refuses, 'audit', { seconds: 86_401 });
test(refuses, 'audit', { seconds: 1.5 });
test(refuses, 'audit', { seconds: '60' });
test(refuses, 'profile_check', {});
test(refuses, 'profile_store', { text: 5 });
test(refuses, 'mend', {});

test('a change of state is notified until the object is removed', async (t) => {
  const { client, listeners, object } = await publish(await startBus(t));
  const heard = queue<unknown>();
  await client.subscribe(iotshaperPath, (type, data) => heard.push([type, data])).whenPresent();
  const why = notice('tunnel-down');
  const blocked = renderReason(notice('blocked-cut-off', { why }));
  for (const listener of listeners) {
    listener({ ...status, state: 'blocked', ...blocked, since: 7 });
  }
  t.deepEqual(await heard.next(), ['state', { state: 'blocked', ...blocked, since: 7 }]);
  await object.remove();
  t.is(listeners.size, 0);
  await t.throwsAsync(client.lookup(iotshaperPath), { message: /Not found$/ });
});

/** Runs the stand-in for the `ubus` command. */
async function ubus(bus: Bus, ...args: string[]) {
  const program = 'build/test/stand-ins/ubusd/ubus.js';
  const child = spawn(process.execPath, [program, '-s', bus.socketPath, ...args]);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, code: code as number };
}

test('the stand-in for `ubus` prints it as the real one would', async (t) => {
  const bus = await startBus(t);
  await publish(bus);
  t.is((await ubus(bus, 'list')).stdout, 'iotshaper\n');
  t.regex((await ubus(bus, '-v', 'list')).stdout, /\t"audit":\{"seconds":"Integer"\}\n/);
  t.is(
    (await ubus(bus, 'call', 'iotshaper', 'audit_result')).stdout,
    '{\n\t"state": "running",\n\t"progress_percent": 12.500000\n}\n',
  );
  t.is((await ubus(bus, 'call', 'nosuch', 'x')).code, 4);
  const refused = await ubus(bus, 'call', 'iotshaper', 'nosuch', '{}');
  t.is(refused.stderr, 'Command failed: ubus call iotshaper nosuch: Method not found\n');
  t.is(refused.code, 253);
});

test('a thousand devices fit one reply', async (t) => {
  const bus = await startBus(t);
  const { service } = makeService();
  const devices = Array.from({ length: 1000 }, (_, index) => ({
    ...status.devices[0]!,
    name: `Device number ${index}`,
  }));
  service.status = () => ({ ...status, devices });
  await publishIotshaper(await bus.connect(), service).whenPresent();
  const reply = await (await bus.connect()).call(iotshaperPath, 'status');
  t.deepEqual(reply.devices, devices as never);
});
