// The page in a real browser over the running service: what is clicked is seen on the router and on the wire.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import type { Locator, Page } from 'playwright-core';
import type { Status } from '../../src/core/home/api.ts';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { CommandError } from '../../src/shell/system/command.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { UbusClient } from '../../src/shell/ubus/client.ts';
import { triggerReload } from '../luci/bridge/reload-trigger.ts';
import { type Bridge, startBridge } from '../luci/bridge/server.ts';
import { applied, clickApply, closeBrowser, type LookOptions, look } from '../luci/browser.ts';
import { startUbusd } from '../stand-ins/ubusd/ubusd.ts';
import { HomeNetwork } from './home-network.ts';
import { eventually } from './support.ts';

const PICTURES = 'out/screens';
const SLOTS_PER_KBPS = 1000 / 512;

let network: HomeNetwork;
let ubusd: Awaited<ReturnType<typeof startUbusd>>;
let bus: UbusClient;
let bridge: Bridge;
let secondProfile: string;
let tracesWhenOff: Record<string, string>;

test.before(async () => {
  await mkdir(PICTURES, { recursive: true });
  network = await HomeNetwork.build({ id: 'page', main: ["option enabled '0'"] });
  secondProfile = await network.endpoint('add-home', 'second');
  const socketPath = network.path('ubus.sock');
  ubusd = await startUbusd(socketPath);
  bus = new UbusClient(nodeSystem, { socketPath });
  network.startEndpoint();
  network.startHome();
  await network.startCloud();
  await network.await('off');
  const hints = network.topology.devices.map(({ mac, ip, name }) => [
    mac.toUpperCase(),
    { ipaddrs: [ip], ip6addrs: [], name: `${name}.lan` },
  ]);
  bridge = await startBridge({
    configDirectory: network.dir,
    bus,
    facts: {
      hints: Object.fromEntries(hints),
      leases: {},
      interfaces: [
        {
          interface: 'iot',
          l3_device: lab.bridge,
          'ipv4-address': [{ address: lab.lanAddress }],
        },
        { interface: 'wan', l3_device: 'wan', route: [{ target: '0.0.0.0', mask: 0 }] },
      ],
      service: { enabled: true, running: true },
    },
    // rpcd answers before procd has run the triggers.
    onApplied: async (configs) => void triggerReload(bus, configs),
    luciSource: process.env.LUCI_SOURCE,
  });
});

test.after.always(async () => {
  await closeBrowser();
  await bridge?.close();
  await bus?.close();
  await network?.close();
  await ubusd?.close();
});

const askStatus = () => bus.call('iotshaper', 'status') as unknown as Promise<Status>;

/** Packets a second that a netdev counts, over two seconds. */
async function packetsPerS(place: 'router' | 'provider', counter: string): Promise<number> {
  const read = async () => ({
    count: Number(await network.netns(place, ['cat', `/sys/class/net/${counter}`])),
    atMs: performance.now(),
  });
  const first = await read();
  await new Promise((later) => setTimeout(later, 2000));
  const last = await read();
  return ((last.count - first.count) * 1000) / (last.atMs - first.atMs);
}

/** The stream of this rate leaves the tunnel's queue: slots a second, and no more than that on the provider's line. */
async function assertStream(t: ExecutionContext, rateKBps: number): Promise<void> {
  const wanted = rateKBps * SLOTS_PER_KBPS;
  await eventually(`a stream of ${rateKBps} KB/s`, async () => {
    const [slots, seen] = await Promise.all([
      packetsPerS('router', 'iotvpn0/statistics/tx_packets'),
      packetsPerS('provider', 'home/statistics/rx_packets'),
    ]);
    t.log(`${rateKBps} KB/s: ${slots.toFixed(1)} slots/s, ${seen.toFixed(1)} on the line`);
    // Far from its half and its double; how close a busy machine comes, `make evaluate-wire` tells.
    return [slots, seen].every((found) => found > 0.6 * wanted && found < 1.15 * wanted);
  });
}

/** Nothing is on the provider's line. */
const assertSilence = () =>
  eventually(
    'silence on the line',
    async () => (await packetsPerS('provider', 'home/statistics/rx_packets')) < 1,
  );

const readConfig = () => readFile(network.path('iotshaper'), 'utf8');

const listRules = () =>
  network.netns('router', ['nft', 'list', 'chain', 'inet', 'iotshaper', 'zone_devices']);

const visit = (t: ExecutionContext, tab: string, options: LookOptions = {}) =>
  look(t, bridge, { tab, ...options });

const banner = (page: Page, state: Status['state'] | 'unknown' | 'stopped'): Locator =>
  page.locator(`.iot-banner[data-state=${state}]`);

async function takePicture(page: Page, name: string): Promise<void> {
  await page.evaluate(() => window.scrollTo(0, 0));
  const suffix = process.env.LUCI_SOURCE ? '-luci' : '';
  await page.screenshot({ path: `${PICTURES}/daemon-${name}${suffix}.png`, fullPage: true });
}

test.serial('overview: the switch starts shaping, and cover is on the wire', async (t) => {
  tracesWhenOff = await network.traces();
  const { page } = await visit(t, 'overview');
  await banner(page, 'off').waitFor();
  t.is(await page.locator('.iot-reason').textContent(), '');
  const toggle = page.getByRole('switch', { name: 'Shape my devices’ traffic' });
  t.false(await toggle.isChecked());
  await assertSilence();

  await applied(page, () => toggle.click());
  await banner(page, 'shaping').waitFor({ timeout: 60_000 });
  await page.getByText('Your provider sees one steady stream of 40 KB/s.').waitFor();
  t.true(await toggle.isChecked());
  t.like(await askStatus(), { killswitch: true, dns: true });
  await assertStream(t, 40);
  await page
    .getByText(/\d(\.\d)? of 78\.1 a second/)
    .first()
    .waitFor();
  await takePicture(page, 'shaping-overview');
});

test.serial('overview: an audit is run, shows its progress and ends in a verdict', async (t) => {
  const { page } = await visit(t, 'overview');
  const length = page.getByLabel('Length of the audit');
  // Ten minutes are the shortest on offer; the rest of the way is the same for ten seconds.
  await length
    .locator('option')
    .first()
    .evaluate((option) => option.setAttribute('value', '10'));
  await length.selectOption('10');
  const button = page.getByRole('button', { name: 'Run an audit' });
  await button.click();
  await page.getByText(/Audit under way: \d+ %/).waitFor();
  t.true(await button.isDisabled());
  const progress = page.locator('progress');
  const first = Number(await progress.getAttribute('value'));
  await Promise.all([
    network.device('echo', undefined, '500,10'),
    eventually('progress', async () => {
      const value = await progress.getAttribute('value').catch(() => '100');
      return Number(value) > first;
    }),
  ]);
  await page
    .getByText(/✓ No leak found\.|✕ A leak was found\.|\? Too short to tell\./)
    .waitFor({ timeout: 60_000 });
  t.false(await button.isDisabled());
  await takePicture(page, 'audit-overview');
});

test.serial('privacy: a typed rate is folded, and the slider changes the wire', async (t) => {
  await writeFile(network.path('iotshaper'), `${await readConfig()}\nconfig 20 'rate'\n`);
  await triggerReload(bus, ['iotshaper']);
  t.like((await askStatus()).rate, { upload_kBps: 20, source: 'section rate' });
  const { page } = await visit(t, 'privacy');
  await page.getByText('A rate of 20 KB/s was typed on the command line and counts.').waitFor();
  await takePicture(page, 'shaping-privacy');
  const slider = page.getByRole('slider', { name: 'Rate in each direction' });
  await slider.focus();
  const rate = page.getByRole('textbox', { name: 'Rate in each direction' });
  while (Number(await rate.inputValue()) < 80) await page.keyboard.press('ArrowRight');
  t.is(await rate.inputValue(), '80');
  await applied(page, () => clickApply(page));
  await eventually('80 KB/s', async () => (await askStatus()).rate.upload_kBps === 80);
  t.is((await askStatus()).rate.source, 'main.rate');
  const text = await readConfig();
  t.regex(text, /option rate '80'/);
  t.notRegex(text, /config 20/);
  await assertStream(t, 80);
});

test.serial('devices: block, bypass and shape are a click each, seen in the rules', async (t) => {
  const { page } = await visit(t, 'devices');
  const { mac, name, ip } = network.topology.devices[0]!;
  const row = page.locator('tr.iot-host', { hasText: ip });
  t.true((await row.textContent())?.startsWith(name));
  await row.getByText(/online, /).waitFor();
  for (const policy of ['Block', 'Bypass', 'Shape', 'As the network']) {
    await row.getByRole('radio', { name: policy, exact: true }).check();
    if (policy === 'Block') await takePicture(page, 'shaping-devices');
    await applied(page, () => clickApply(page));
    const wanted = {
      Block: new RegExp(`ether saddr ${mac} goto zone_block`),
      Bypass: new RegExp(`ether saddr ${mac} accept`),
      Shape: new RegExp(`ether saddr ${mac} goto zone_shape`),
    }[policy];
    await eventually(policy, async () =>
      wanted ? wanted.test(await listRules()) : !(await listRules()).includes(mac),
    );
    t.true(await row.getByRole('radio', { name: policy, exact: true }).isChecked());
  }
  t.like(await network.device('echo', undefined, '100,2'), { missing: 0 });
});

test.serial('tunnel: a wrong profile is refused by its line, another one used', async (t) => {
  const { page } = await visit(t, 'tunnel');
  await page.getByText('10.213.0.2').waitFor();
  const held = await readFile(network.path('home.ovpn'), 'utf8');
  const paste = page.getByLabel('Or paste it');
  const store = page.getByRole('button', { name: 'Store the profile' });
  await paste.fill(`${secondProfile}up /tmp/evil.sh\n`);
  await store.click();
  const refusal = page.getByRole('alert').filter({ hasText: 'This profile is refused' });
  await refusal.waitFor();
  const line = secondProfile.split('\n').length;
  t.regex((await refusal.textContent()) ?? '', new RegExp(`Line ${line}: up /tmp/evil\\.sh: runs`));
  await takePicture(page, 'refused-tunnel');
  t.is(await readFile(network.path('home.ovpn'), 'utf8'), held);

  const buffer = Buffer.from(secondProfile);
  const file = { name: 'second.ovpn', mimeType: 'text/plain', buffer };
  await page.getByLabel('From a file').setInputFiles(file);
  await page.getByText('second.ovpn is read; store it to use it.').waitFor();
  await store.click();
  await page.getByText('Stored. The profile in use stays in use until this one was seen').waitFor();
  t.is(await paste.inputValue(), '');
  await page.getByText('10.213.0.3').waitFor({ timeout: 60_000 });
  await page.getByText(/up since/).waitFor();
  const { tunnel } = await network.await('shaping');
  t.is(tunnel.address, '10.213.0.3');
  await eventually('what works takes its place', async () => {
    return (await readFile(network.path('home.ovpn'), 'utf8')) === secondProfile;
  });
  await takePicture(page, 'shaping-tunnel');
});

test.serial('schedule: an entry is in force at once where its time is now', async (t) => {
  const { page, open } = await visit(t, 'schedule');
  await page.getByRole('button', { name: 'Add an entry' }).click();
  const entry = page.getByRole('group', { name: 'Entry 1' });
  await entry.getByLabel('Until').fill('00:00');
  await entry.getByLabel('Rate').fill('20');
  await takePicture(page, 'shaping-schedule');
  await applied(page, () => clickApply(page));
  await eventually('the schedule', async () =>
    (await askStatus()).rate.source.startsWith('schedule '),
  );
  t.is((await askStatus()).rate.upload_kBps, 20);
  await assertStream(t, 20);
  await open('overview');
  await page.getByText('one steady stream of 20 KB/s.').waitFor();
  await page.getByText('(The rate is that of the schedule.)').waitFor();
  await page.getByText('by entry 1 of the schedule').waitFor();

  await open('schedule');
  await page.getByRole('button', { name: 'Delete: Entry 1' }).click();
  await page.getByRole('group', { name: 'Entry 1' }).waitFor({ state: 'detached' });
  await applied(page, () => clickApply(page));
  await eventually('the usual rate', async () => (await askStatus()).rate.source === 'main.rate');
});

test.serial('blocked: said in words, in German too, while the queue is gone', async (t) => {
  await network.await('shaping');
  const { page } = await visit(t, 'overview');
  await banner(page, 'shaping').waitFor();
  // The service makes a new queue: it is deleted until that has been seen.
  let isBreaking = true;
  const breaking = (async () => {
    while (isBreaking) {
      await network
        .netns('router', ['tc', 'qdisc', 'del', 'dev', 'iotvpn0', 'root'])
        .catch((error: unknown) => t.true(error instanceof CommandError));
      await new Promise((again) => setTimeout(again, 300));
    }
  })();
  try {
    await banner(page, 'blocked').waitFor();
    const text = (await banner(page, 'blocked').textContent()) ?? '';
    t.regex(text, /Not protected: .*; your devices are cut off so that nothing leaks\. Since /);
    t.notRegex(text, /cut off.*cut off/);
    await takePicture(page, 'blocked-overview');
    const german = await visit(t, 'overview', { language: 'de', locale: 'de-DE', width: 360 });
    await banner(german.page, 'blocked').waitFor();
    const words = (await banner(german.page, 'blocked').textContent()) ?? '';
    t.regex(words, /nicht geschützt: .* Seit /i);
    t.notRegex(words, /cut off|queue|stream|the /);
    await takePicture(german.page, 'blocked-overview-360-de');
  } finally {
    isBreaking = false;
    await breaking;
  }
  await banner(page, 'shaping').waitFor({ timeout: 60_000 });
});

test.serial('overview: switched off, nothing is left', async (t) => {
  const { page } = await visit(t, 'overview', { isDark: true });
  await banner(page, 'shaping').waitFor();
  await takePicture(page, 'shaping-overview-dark');
  await applied(page, () => page.getByRole('switch').click());
  await banner(page, 'off').waitFor();
  await page.getByText('Off: your provider can see when').waitFor();
  t.deepEqual(await network.traces(), tracesWhenOff);
  t.like(await askStatus(), { upload: { target_pps: 0 }, endpoint: { state: 'unknown' } });
  await eventually('no packet is counted', async () => (await askStatus()).upload.pps === 0);
  await assertSilence();
  await page.getByRole('button', { name: 'Run an audit' }).click();
  await page.getByText('the service is not shaping now').waitFor();
  await takePicture(page, 'off-overview-dark');
});

test.serial('a stopped service is told as such, and one that comes back is seen', async (t) => {
  const { page } = await visit(t, 'overview');
  await banner(page, 'off').waitFor();
  await network.stop('home');
  bridge.rpcd.facts.service = { enabled: true, running: false };
  await banner(page, 'stopped').waitFor();
  await page.getByText('The service iotshaper is not running. Start it').waitFor();
  await takePicture(page, 'stopped-overview');
  network.startHome();
  bridge.rpcd.facts.service = { enabled: true, running: true };
  await banner(page, 'off').waitFor({ timeout: 60_000 });
  t.is((await askStatus()).state, 'off');
});
