// The running service on the bus (a stand-in ubusd that speaks the wire protocol), and UCI as people type it.
import { readFile } from 'node:fs/promises';
import test from 'ava';
import type { HistorySample, ProfileCheck, Status } from '../../src/core/home/api.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { UbusClient } from '../../src/shell/ubus/client.ts';
import { startUbusd } from '../stand-ins/ubusd/ubusd.ts';
import { CLOUD, HomeNetwork } from './home-network.ts';
import { eventually } from './support.ts';

let network: HomeNetwork;
let ubusd: Awaited<ReturnType<typeof startUbusd>>;
let bus: UbusClient;

test.before(async () => {
  network = await HomeNetwork.build({ id: 'bus' });
  ubusd = await startUbusd(network.path('ubus.sock'));
  bus = new UbusClient(nodeSystem, { socketPath: network.path('ubus.sock') });
  network.startEndpoint();
  network.startHome();
  await network.startCloud();
  await network.await('shaping');
});

test.after.always(async () => {
  await bus?.close();
  await ubusd?.close();
  await network?.close();
});

/** The service samples once a second: waits until it has seen this. */
const sampled = <T>(seen: () => Promise<T | undefined | false>): Promise<T> =>
  eventually('the service samples what happened', seen);

function ask<T>(method: string, args: object = {}): Promise<T> {
  return bus.call('iotshaper', method, args) as Promise<T>;
}

test.serial('status, history and devices are answered as the contract says', async (t) => {
  await network.device('echo', CLOUD, '500,5');
  const status = await sampled(async () => {
    const said = await ask<Status>('status');
    return said.state === 'shaping' && said;
  });
  t.like(status, {
    state: 'shaping',
    role: 'home',
    mode: 'vit',
    packet_size: 512,
    rate: { upload_kBps: 40, download_kBps: 40, source: 'main.rate' },
    tunnel: { state: 'up', interface: 'iotvpn0', address: '10.213.0.2', peer: '10.213.0.1' },
    endpoint: { state: 'up' },
    config: { ok: true },
  });
  t.true(Math.abs(status.upload.target_pps - 78.13) < 0.01);
  t.true(status.cost.gb_per_month > 228 && status.cost.gb_per_month < 229);
  const sample = await sampled(async () => {
    const { samples } = await ask<{ samples: HistorySample[] }>('history');
    return samples.find(({ upload_device_kBps }) => upload_device_kBps > 0);
  });
  t.true(sample.upload_device_kBps <= 40);
  const device = await sampled(async () =>
    (await ask<Status>('status')).devices.find(
      ({ ip, rx_bytes }) => ip.includes('192.168.8.11') && rx_bytes > 2500,
    ),
  );
  t.true(device.tx_bytes > 2500 && device.online);
});

test.serial('a changed state is notified, and the object comes back with ubusd', async (t) => {
  const heard: string[] = [];
  await bus.subscribe('iotshaper', (type, data) => heard.push(`${type} ${data.state}`));
  await network.netns('router', ['tc', 'qdisc', 'del', 'dev', 'iotvpn0', 'root']);
  await network.await('blocked');
  await eventually('the bus tells of it', async () => heard.includes('state blocked'));
  await eventually('and of its end', async () => heard.at(-1) === 'state shaping');

  await ubusd.close();
  ubusd = await startUbusd(network.path('ubus.sock'));
  const back = await eventually('the object comes back', () =>
    ask<Status>('status').catch(() => undefined),
  );
  t.is(back.role, 'home');
});

test.serial('"uci set iotshaper.rate=N" works as typed', async (t) => {
  const typed = async (value: string): Promise<Status> => {
    await network.configure(["option rate '20'"], [`config ${value} 'rate'\n`]);
    await ask('reload');
    return ask<Status>('status');
  };
  t.like(await typed('40'), {
    rate: { upload_kBps: 40, source: 'section rate' },
    config: { ok: true },
  });
  t.like(await typed('7.5'), { rate: { upload_kBps: 7.5, source: 'section rate' } });
  const bad = await typed('abc');
  t.like(bad, { rate: { upload_kBps: 7.5, source: 'section rate' }, config: { ok: false } });
  t.regex(bad.config.errors[0]!.message, /iotshaper\.rate.*"abc"/);
  t.like(await ask('check'), { ok: false });
});

test.serial('a schedule in force changes the rate and is named', async (t) => {
  const schedule =
    "config schedule 'rest'\n\tlist days 'mon tue wed thu fri sat sun'\n\toption start '00:00'\n\toption end '00:00'\n\toption rate '20'\n";
  await network.configure(
    [],
    [
      schedule.replace(
        "list days 'mon tue wed thu fri sat sun'",
        "option days 'mon tue wed thu fri sat sun'",
      ),
    ],
  );
  await ask('reload');
  t.like(await ask<Status>('status'), {
    rate: { upload_kBps: 20, source: 'schedule rest' },
    config: { ok: true },
  });
  await network.configure([]);
  await ask('reload');
});

test.serial('a profile is judged before it replaces the old one', async (t) => {
  const before = await readFile(network.path('home.ovpn'), 'utf8');
  const bad = await ask<ProfileCheck>('profile_store', { text: `${before}\nup /tmp/evil.sh\n` });
  t.false(bad.ok);
  t.regex(bad.errors[0]!.message, /^up \/tmp\/evil\.sh: runs a program/);
  t.is(bad.errors[0]!.line, before.split('\n').length + 1);
  t.is(await readFile(network.path('home.ovpn'), 'utf8'), before);
  const good = await ask<ProfileCheck>('profile_store', { text: before });
  t.like(good, { ok: true, endpoint: '203.0.113.10:1194' });
  await network.await('shaping');
});

test.serial(
  'a profile whose endpoint refuses this home: the status says so, and the one that works stays',
  async (t) => {
    const works = await readFile(network.path('home.ovpn'), 'utf8');
    // As one that was removed: its certificate is sound, and none that the endpoint knows.
    const stranger = await readFile('test/fixtures/openvpn/home.ovpn', 'utf8');
    const text = ['cert', 'key'].reduce((said, tag) => {
      const block = new RegExp(`<${tag}>[^]*</${tag}>`);
      return said.replace(block, block.exec(stranger)![0]);
    }, works);
    t.like(await ask<ProfileCheck>('profile_store', { text }), { ok: true, tried: true });
    const { config, state } = await network.warned(
      /the new profile is not used, .* stays in use: /,
    );
    t.log(config.warnings.join('\n'));
    t.is(state, 'shaping');
    t.is(await readFile(network.path('home.ovpn'), 'utf8'), works);
    t.like(await ask<ProfileCheck>('profile_store', { text: works }), { ok: true, tried: false });
    t.deepEqual((await ask<Status>('status')).config.warnings, []);
  },
);

test.serial('policies of devices reach the rules', async (t) => {
  await network.configure(
    [],
    ["config device\n\toption name 'TV'\n\toption ip '192.168.8.11'\n\toption policy 'block'\n"],
  );
  await ask('reload');
  const rules = await network.netns('router', [
    'nft',
    'list',
    'chain',
    'inet',
    'iotshaper',
    'zone_devices',
  ]);
  t.regex(rules, /ip saddr 192\.168\.8\.11 goto zone_block comment "!iotshaper: @device\[0\] TV"/);
  t.is((await network.device('echo', CLOUD, '100,1,1')).missing ?? 1, 1);
  await network.configure([]);
  await ask('reload');
  t.like(await network.device('echo', CLOUD, '100,2'), { missing: 0 });
});

test.serial(
  'an interface of OpenWrt is its network device, also once that is another one',
  async (t) => {
    let l3_device = 'br-iot';
    const netifd = bus.publish({
      path: 'network.interface',
      methods: {
        dump: {
          arguments: {},
          handler: () => ({ interface: [{ interface: 'iot', up: true, l3_device }] }),
        },
      },
    });
    await netifd.whenPresent();
    const understood = async (netdev: string) => {
      const said = `iotshaper.@network[0].device: iot is ${netdev} `;
      await sampled(async () => {
        const { state, config } = await ask<Status>('status');
        return (state === 'shaping' && config.notes?.[0]?.startsWith(said)) || undefined;
      });
      t.like(await network.device('echo', CLOUD, '100,2'), { missing: 0 });
    };
    const link = (...words: string[]) => network.netns('router', ['ip', 'link', 'set', ...words]);
    await network.configure([], [], ['iot']);
    await ask('reload');
    await understood('br-iot');
    t.regex((await ask<Status['config']>('check')).notes![0]!, /iot is br-iot/);

    l3_device = 'br-lan.20';
    await link('br-iot', 'down');
    await link('br-iot', 'name', l3_device);
    await link(l3_device, 'up');
    await understood(l3_device);
    await link(l3_device, 'down');
    await link(l3_device, 'name', 'br-iot');
    await link('br-iot', 'up');
    await netifd.remove();
    // Nobody knows what is meant now, so that devices are held back.
    await ask('reload');
    t.regex((await network.await('blocked')).reason, /"iot" is no network device now/);
    await network.configure([]);
    await ask('reload');
    await network.await('shaping');
  },
);

test.serial('an audit runs beside the service and reports', async (t) => {
  t.like(await ask('audit', { seconds: 10 }), { started: true });
  t.like(await ask('audit', { seconds: 10 }), { started: false });
  await network.device('download');
  for (;;) {
    const result = await ask<{ state: string; sentence?: string }>('audit_result');
    if (result.state !== 'running') {
      t.is(result.state, 'done', result.sentence);
      t.true((result.sentence ?? '').length > 20);
      break;
    }
    await new Promise((again) => setTimeout(again, 200));
  }
});

test.serial('enabled 0 takes everything away while the service goes on answering', async (t) => {
  await network.configure(["option enabled '0'"]);
  await ask('reload');
  t.is((await ask<Status>('status')).state, 'off');
  t.notRegex(await network.netns('router', ['nft', 'list', 'ruleset']), /iotshaper/);
  t.notRegex(await network.netns('router', ['ip', 'rule', 'show']), /7213/);
  t.notRegex(await network.netns('router', ['ip', '-o', 'link', 'show']), /iot0|iotvpn0/);
});
