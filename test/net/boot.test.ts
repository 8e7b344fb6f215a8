// A router from its first second to its last: no packet of a device beside the tunnel while it boots, restarts or goes down.
import { readFile, stat, writeFile } from 'node:fs/promises';
import test from 'ava';
import { CLOUD, HomeNetwork } from './home-network.ts';
import { eventually } from './support.ts';
import { readWire } from './wire.ts';

let network: HomeNetwork;
let before: Record<string, string>;

test.before(async () => {
  network = await HomeNetwork.build({ id: 'boot' });
  before = await network.traces();
  network.startEndpoint();
  await network.startCloud();
});

test.after.always(() => network?.close());

const tables = async () => (await network.netns('router', ['nft', 'list', 'tables'])).trim();

/** Runs `work` while a device talks without pause; resolves with what left beside the tunnel. */
async function outsideDuring(name: string, work: () => Promise<void>): Promise<unknown[]> {
  const stop = await network.capture(`${name}.pcap`);
  const talk = network.startDevice('chatter');
  await work();
  talk.kill();
  return (await readWire(await stop())).outside;
}

test.serial(
  'a device talks past a router without the service, or the rest would prove nothing',
  async (t) => {
    const outside = await outsideDuring('open', async () => {
      await network.device('upload');
    });
    t.true(outside.length > 0);
  },
);

test.serial('from the first start to shaping, and over a restart, nothing leaves', async (t) => {
  network.startHome();
  // At its very first start nothing holds devices back before it has seen who they are, and nobody says so.
  await eventually('the first rules', async () => /inet iotshaper/.test(await tables()));
  const outside = await outsideDuring('restart', async () => {
    await network.await('shaping');
    await writeFile(network.path('run-home/stay-shut'), '');
    await network.stop('home');
    t.regex(await tables(), /inet iotshaper/);
    t.is(await network.status(), null);
    network.startHome();
    await network.await('shaping');
  });
  t.deepEqual(outside, []);
});

test.serial('between boot and shaping nothing leaves', async (t) => {
  const rules = network.path('state-home/boot.nft');
  t.is((await stat(rules)).mode & 0o777, 0o600);
  // The power fails: nothing of the kernel's state survives.
  await network.stop('home', 'SIGKILL');
  await network.netns('router', ['nft', 'delete', 'table', 'inet', 'iotshaper']);
  await network.netns('router', ['nft', '-f', rules]);
  const outside = await outsideDuring('boot', async () => {
    network.startHome();
    await network.await('shaping');
  });
  t.deepEqual(outside, []);
});

/** What fw4 renders for a zone of devices that may use the Internet, all but one of them. */
async function firewallRules(): Promise<string> {
  const rendered = await readFile('test/fixtures/fw4/iot-zone.nft', 'utf8');
  const dropIn = await readFile('files/usr/share/nftables.d/ruleset-post/iotshaper.nft', 'utf8');
  return rendered.replace('44:65:0d:00:00:01', network.topology.devices[1]!.mac) + dropIn;
}

/** Whether a device's ping is answered by the cloud. */
async function isAnswered(address: string): Promise<boolean> {
  const ping = ['ping', '-n', '-q', '-c', '3', '-i', '0.1', '-W', '1', '-I', address, CLOUD];
  return network.netns('devices', ping).then(
    () => true,
    () => false,
  );
}

test.serial('fw4’s rules on what devices may send stay in force', async (t) => {
  const load = (rules: string) => network.netns('router', ['nft', '-f', '-'], rules);
  t.teardown(() => network.netns('router', ['nft', 'delete', 'table', 'inet', 'fw4']));
  const [device, rejected] = network.topology.devices;
  t.true(await isAnswered(rejected!.ip));
  const fw4 = await firewallRules();
  await load(fw4);
  const upload = await network.device('upload');
  t.is(upload.got, upload.sent);
  t.true(await isAnswered(device!.ip));
  t.false(await isAnswered(rejected!.ip));
  for (let round = 0; round < 3; round++) await load(fw4);
  t.deepEqual(await network.device('download'), { intact: true });
  const list = ['nft', 'list', 'chain', 'inet', 'fw4'];
  const forward = await network.netns('router', [...list, 'forward']);
  t.is(forward.match(/!iotshaper/g)?.length, 1);

  const forwarding = /^.*Accept iot to wan forwarding.*\n/m;
  t.regex(fw4, forwarding);
  await load(fw4.replace(forwarding, ''));
  t.false(await isAnswered(device!.ip));
  // A netdev that no zone knows is rejected, and told of where the configuration is read.
  await load(fw4.replaceAll('{ "wan", "iot0" }', '"wan"'));
  t.false(await isAnswered(device!.ip));
  await load(fw4);
  t.true(await isAnswered(device!.ip));
  t.is((await network.await('shaping')).state, 'shaping');
});

test.serial(
  'switched off by configuration it leaves nothing, for the next boot neither',
  async (t) => {
    await network.configure(["option enabled '0'"]);
    network.services.get('home')!.kill('SIGHUP');
    await network.await('off');
    await t.throwsAsync(stat(network.path('state-home/boot.nft')), { code: 'ENOENT' });
    await network.stop('home');
    t.deepEqual(await network.traces(), before);
  },
);
