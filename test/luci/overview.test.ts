import test from 'ava';
import { renderAs, renderReason } from '../../src/core/home/answers.ts';
import { obstacleReason } from '../../src/core/home/reasons.ts';
import { notice } from '../../src/core/notices/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { closeBrowser, visit } from './browser.ts';
import { usualConfig } from './router.ts';

test.after.always(closeBrowser);

const banner = '.iot-banner';

test.serial('shaping: the sentence, the graph and the figures', async (t) => {
  const { page } = await visit(t);
  const text = (await page.locator(banner).textContent()) ?? '';
  t.regex(text, /Shaping/);
  t.regex(
    text,
    /Your provider sees one steady stream of 40 KB\/s\. It can't tell when your devices are used\./,
  );
  t.is(await page.locator(banner).getAttribute('data-state'), 'shaping');
  const captions = page.locator('.iot-panel figcaption');
  t.is(await captions.count(), 2);
  t.is(
    await captions.first().textContent(),
    'Your provider saw 39.8 to 40.2 KB/s; your devices did up to 34 KB/s.',
  );
  // 300 samples: one move and 299 lines, and a picture a screen reader can name.
  const path = (await page.locator('.iot-stream').first().getAttribute('d')) ?? '';
  t.is(path.match(/[ML]/g)?.length, 300);
  t.regex(
    (await page.locator('.iot-panel svg').first().getAttribute('aria-label')) ?? '',
    /Upload.*39\.8/,
  );
  const figures = (await page.locator('.iot-figures').first().textContent()) ?? '';
  for (const part of [
    /vps\.example\.org:1194 \(answers\)/,
    /78 of 78\.1 a second/,
    /14 ms/,
    /228\.4 GB, 23\.6 % of your data cap/,
  ])
    t.regex(figures, part);
});

test.serial('what a firewall of others does is mended by a click', async (t) => {
  const why = notice('devices-dropped-by', {
    chain: 'ip filter FORWARD',
    command: 'nft insert rule ip filter FORWARD oifname "iotvpn0" accept',
  });
  const off = notice('auto-includes-off', {
    path: 'firewall.@defaults[0].auto_includes',
    command:
      'uci set firewall.@defaults[0].auto_includes=1; uci commit firewall; service firewall restart',
  });
  const { page, router } = await visit(t, {
    prepare: ({ service }) => {
      const { config } = service.status();
      const warnings = { warnings: [wordsOf(off)], warning_notices: [off] };
      service.override = { ...renderAs('trouble', why), config: { ...config, ...warnings } };
    },
  });
  const inBanner = page.locator(banner).getByRole('button', { name: 'Mend it' });
  const inList = page.locator('.iot-notice li').getByRole('button', { name: 'Mend it' });
  await inList.waitFor();
  await inBanner.click();
  await inBanner.waitFor({ state: 'detached' });
  t.deepEqual(router.service.mended, [
    ['nft', 'insert', 'rule', 'ip', 'filter', 'FORWARD', 'oifname', 'iotvpn0', 'accept'],
  ]);
  await inList.waitFor({ state: 'detached' });
});

test.serial('what can not be mended is said, and the button stays', async (t) => {
  const off = notice('flow-offloading-on', { path: 'firewall.x', command: 'uci set firewall.x=0' });
  const { page } = await visit(t, {
    prepare: ({ service }) => {
      const { config } = service.status();
      const warnings = { warnings: [wordsOf(off)], warning_notices: [off] };
      service.override = { config: { ...config, ...warnings } };
      service.mend = () => ({
        ...{ ok: false, ...renderReason(notice('not-mended', { error: 'uci: Entry not found' })) },
      });
    },
  });
  const button = page.getByRole('button', { name: 'Mend it' });
  await button.click();
  await page.getByRole('alert').getByText('that could not be done: uci: Entry not found').waitFor();
  t.true(await button.isEnabled());
});

test.serial(
  'what was understood instead of what stands there is said, and needs no attention',
  async (t) => {
    const values = { path: 'iotshaper.@network[0].device', name: 'iot', netdev: 'br-iot' };
    const said = notice('interface-understood', values);
    const { page } = await visit(t, {
      prepare: ({ service }) => {
        const { config } = service.status();
        const notes = { notes: [wordsOf(said)], note_notices: [said] };
        service.override = { config: { ...config, warnings: [], warning_notices: [], ...notes } };
      },
    });
    await page.locator('.iot-notice.info', { hasText: 'iot is br-iot' }).waitFor();
    t.is(await page.getByText('Needs attention').count(), 0);
  },
);

test.serial('blocked: says since when, and that nothing leaks', async (t) => {
  const since = new Date(2024, 5, 3, 10, 31).getTime() / 1000;
  const { page } = await visit(t, {
    prepare: ({ service }) => {
      const { tunnel } = service.status();
      const why = notice('openvpn-stopped', {
        why: notice('process-exit-status', { status: '1' }),
      });
      service.override = {
        state: 'blocked',
        since,
        ...renderAs('fault', why),
        tunnel: { ...tunnel, state: 'reconnecting' },
      };
    },
  });
  const text = (await page.locator(banner).textContent()) ?? '';
  t.regex(text, /Blocked/);
  t.regex(
    text,
    /Not protected: OpenVPN stopped \(exit status 1\); it is started again; your devices are cut off so that nothing leaks\. Since 3 Jun 2024, .*:31\./,
  );
});

test.serial('what becomes of devices is said as the service says it', async (t) => {
  const { page, router } = await visit(t);
  // Before its first rules are in force; then where it is not known behind what the devices are.
  router.service.override = { state: 'starting', ...renderReason(notice('service-starting')) };
  const sentence = page.locator(`${banner}[data-state=starting] .iot-sentence`);
  await sentence.waitFor();
  t.is((await sentence.textContent())?.trim(), 'Starting.');
  const why = notice('endpoint-silent');
  router.service.override = {
    state: 'blocked',
    ...renderReason(
      obstacleReason({ everShaped: true, killswitch: true, networkUnknown: true }, why),
    ),
  };
  const blocked = page.locator(`${banner}[data-state=blocked]`);
  await blocked.waitFor();
  const text = (await blocked.textContent()) ?? '';
  t.regex(text, /devices that are chosen by nothing else use the Internet directly meanwhile/);
  t.false(text.includes('cut off'));
});

test.serial('what is not hidden is not talked away: kill switch off, DNS outside', async (t) => {
  const open = "option rate '40'\n\toption killswitch '0'\n\toption dns '0'";
  const { page, router } = await visit(t, {
    config: usualConfig.replace("option rate '40'", open),
  });
  const sentence = page.locator('.iot-sentence');
  t.regex((await sentence.textContent()) ?? '', /The names your devices look up still show/);
  for (const state of ['blocked', 'starting'] as const) {
    router.service.override = { state };
    await page.locator(`${banner}[data-state=${state}]`).waitFor();
    const text = (await sentence.textContent()) ?? '';
    t.regex(text, /your devices use the Internet directly, because the kill switch is off/);
    t.false(text.includes('cut off'));
  }
});

test.serial('a leak found by the audit is not talked away', async (t) => {
  const { page } = await visit(t, {
    prepare: ({ service }) => {
      service.report = { state: 'done', verdict: 'leak', sentence: 'AUC 0.91.', time: service.now };
    },
  });
  await page.getByText('But the last audit could still tell').waitFor();
  t.false((await page.locator(banner).textContent())?.includes("It can't tell"));
  await page.getByText('✕ A leak was found.').waitFor();
});

test.serial('errors of the configuration are named by option', async (t) => {
  const { page } = await visit(t, {
    prepare: (router) => router.writeConfig(usualConfig.replace("rate '40'", "rate 'fast'")),
  });
  const alert = page.getByRole('alert');
  const text = (await alert.textContent()) ?? '';
  t.regex(text, /The configuration is refused; what was in force before stays\./);
  t.regex(text, /iotshaper\.main\.rate: must be between 0\.25 and 10000 KB\/s, got "fast"/);
});

test.serial('the switch turns shaping off and on, in UCI and at the service', async (t) => {
  const { page, router, open } = await visit(t);
  for (const enabled of [false, true]) {
    const toggle = page.getByRole('switch', { name: 'Shape my devices’ traffic' });
    t.is(await toggle.isChecked(), !enabled);
    const reloads = router.service.reloads;
    // The page comes anew once the change is applied and confirmed.
    const loaded = page.waitForEvent('load');
    await toggle.focus();
    await page.keyboard.press('Space');
    await loaded;
    t.is(router.service.reloads, reloads + 1);
    t.is(router.readConfig().main.enabled, enabled);
    t.is(router.service.status().state, enabled ? 'shaping' : 'off');
    await open('overview');
    const wanted = enabled
      ? 'Your provider sees one steady stream'
      : 'Off: your provider can see when';
    await page.locator(banner, { hasText: wanted }).waitFor();
  }
});

test.serial('the way from nothing to protected names the next step', async (t) => {
  const nothing = usualConfig.replace("enabled '1'", "enabled '0'");
  const { page, router, open } = await visit(t, {
    config: nothing.slice(0, nothing.indexOf('config network')),
    prepare: ({ service }) => {
      const { tunnel } = service.status();
      service.override = { tunnel: { ...tunnel, remote: '' } };
    },
  });
  const next = page.locator('.iot-next');
  t.regex((await next.textContent()) ?? '', /Next step: Tunnel: give the file/);
  t.true(((await next.locator('a').getAttribute('href')) ?? '').endsWith('/iotshaper/tunnel'));
  router.service.override = {};
  await next.getByText('Devices: choose what is to be protected').waitFor();
  router.writeConfig(nothing);
  await open('overview');
  await next.getByText('switch shaping on above').waitFor();
  router.service.override = { state: 'starting' };
  await next.waitFor({ state: 'detached' });
});

test.serial('the switch is green only while devices are shaped', async (t) => {
  const { page, router } = await visit(t);
  const colour = () =>
    page.getByRole('switch').evaluate((node) => getComputedStyle(node).backgroundColor);
  const shaping = await colour();
  router.service.override = { state: 'blocked' };
  await page.locator('.iot-switch[data-shaping=false]').waitFor();
  t.not(await colour(), shaping);
});

test.serial('an audit runs with progress and ends in a verdict', async (t) => {
  const { page, router } = await visit(t);
  await page.getByLabel('Length of the audit').selectOption('600');
  const button = page.getByRole('button', { name: 'Run an audit' });
  await button.click();
  await page.getByText('Audit under way: 0 %, 10 minutes left').waitFor();
  t.true(await button.isDisabled());
  t.is(router.service.report.seconds, 600);
  router.service.report = { ...router.service.report, progress_percent: 40 };
  await page.getByText('Audit under way: 40 %, 6 minutes left').waitFor();
  t.is(await page.locator('progress').getAttribute('value'), '40');
  router.service.report = {
    state: 'done',
    verdict: 'clean',
    seconds: 598,
    sentence: 'Nothing told activity from rest.',
    figures: [
      {
        ...renderAs('name', notice('figure-forest', { family: 'all' })),
        value: 0.503,
        low: 0.44,
        high: 0.57,
        leak: false,
      },
    ],
  };
  await page.getByText('✓ No leak found.').waitFor();
  await page.getByText('From what your provider saw in 10 minutes it could not be told').waitFor();
  // How that was found is for those who open the figures.
  t.false(await page.getByText('Nothing told activity from rest.').isVisible());
  await page.getByText('Figures of the audit').click();
  await page.getByText('0.503 (0.44–0.57)').waitFor();
  t.false(await button.isDisabled());
});

test.serial('a service that goes and comes is noticed, and why', async (t) => {
  const { page, router } = await visit(t, {
    expectedFaults: /ERR_EMPTY_RESPONSE|Failed to fetch|ERR_SOCKET/,
  });
  await router.stopService();
  await page.getByText('The service iotshaper is not running. Start it').waitFor();
  router.rpcd.facts.service = null;
  await page.getByText('The service iotshaper is not installed').waitFor();
  router.isReachable = false;
  await page.getByText('The router does not answer.').waitFor();
  t.regex(
    (await page.locator(banner).textContent()) ?? '',
    /Nothing is known of your protection now\./,
  );
  router.isReachable = true;
  await page.getByText('The service iotshaper is not installed').waitFor();
});

test.serial('a stopped service leaves no switch on, and the switch starts it', async (t) => {
  const { page, router } = await visit(t);
  const onOff = page.getByRole('switch');
  t.true(await onOff.isChecked());
  await router.stopService();
  await page.getByText('Not protected: the service is stopped.').waitFor();
  t.is(await page.locator(banner).getAttribute('data-state'), 'stopped');
  t.false(await onOff.isChecked());
  await onOff.check();
  await page.locator(`${banner}[data-state=shaping]`).waitFor();
  t.true(await onOff.isChecked());
  const script = '/etc/init.d/iotshaper';
  t.deepEqual(router.executed, [`${script} enable`, `${script} start`]);
});

test.serial('a service of another version is told from none', async (t) => {
  const { page } = await visit(t, {
    prepare: ({ service }) => {
      service.override = { devices: undefined as never };
    },
  });
  await page.getByText('is of another version than this page').waitFor();
  t.is(await page.locator(banner).getAttribute('data-state'), 'unknown');
});

test.serial('a login without the page’s rights is told so', async (t) => {
  const { page } = await visit(t, { role: 'none' });
  await page.getByText('This login may not ask the service iotshaper.').waitFor();
  await page.getByText('can’t be read with this login').waitFor();
  t.true(await page.getByRole('switch').isDisabled());
});

test.serial('in German, with German numbers', async (t) => {
  const { page, router } = await visit(t, {
    language: 'de',
    locale: 'de-DE',
    prepare: (router) => router.writeConfig(usualConfig.replace("rate '40'", "rate '2.5'")),
  });
  await page.getByText('Ihr Anbieter sieht einen gleichmäßigen Strom von 2,5 KB/s.').waitFor();
  await page.getByRole('link', { name: 'Geräte' }).waitFor();
  t.regex(
    (await page.locator('.iot-figures').first().textContent()) ?? '',
    /14,3 GB, 1,5 % Ihres Datenvolumens/,
  );
  router.service.override = {
    state: 'starting',
    ...renderAs('fault', notice('endpoint-not-answered')),
  };
  await page.getByText('Startet: der Endpunkt hat noch nicht geantwortet; Ihre Geräte').waitFor();
  // A sentence within a sentence, and what was typed as it was typed.
  const why = notice('process-exit-status', { status: '1' });
  router.service.override = {
    state: 'starting',
    ...renderAs('fault', notice('openvpn-stopped', { why })),
  };
  await page
    .getByText(
      'Startet: OpenVPN ist stehen geblieben (Exit-Status 1); es wird neu gestartet; Ihre Geräte',
    )
    .waitFor();
  router.service.override = {};
  await router.writeConfig(usualConfig.replace("rate '40'", "rate 'fast'\n\toption colour 'red'"));
  await page
    .getByText(
      'iotshaper.main.rate: erlaubt ist ein Wert zwischen 0.25 und 10000 KB/s, angegeben ist "fast"',
    )
    .waitFor();
  await page.getByText('iotshaper.main.colour: unbekannte Option, wird nicht beachtet').waitFor();
});
