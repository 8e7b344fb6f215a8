import { readFileSync } from 'node:fs';
import test from 'ava';
import { costOf } from '../../src/core/cost/cost.ts';
import { renderReason } from '../../src/core/home/answers.ts';
import { notice } from '../../src/core/notices/notice.ts';
import { status } from './bridge/uci-sessions.ts';
import { clickApply, closeBrowser, saveAndApply, visit } from './browser.ts';
import { usualConfig } from './router.ts';

test.after.always(closeBrowser);

const goodProfile = readFileSync('test/fixtures/openvpn/home.ovpn', 'utf8');

test.serial('privacy: the figures are those of the cost formula at ten rates', async (t) => {
  const { page } = await visit(t, { tab: 'privacy' });
  const rate = page.getByRole('textbox', { name: 'Rate in each direction' });
  await page.getByLabel('Price').fill('0.02');
  for (const kBps of [0.25, 1, 2.5, 5, 10, 17.5, 40, 64, 125, 1000]) {
    await rate.fill(String(kBps));
    const cost = costOf({
      uploadKBps: kBps,
      downloadKBps: kBps,
      packetBytes: 512,
      dataCapGB: 1000,
      pricePerGB: 0.02,
    });
    const shown = async (kind: string) =>
      Number(await page.locator(`data.${kind}`).getAttribute('value'));
    const close = async (kind: string, value: number | null) =>
      t.true(
        Math.abs((await shown(kind)) - (value ?? Number.NaN)) < 1e-9 * (value ?? 1),
        `${kind} at ${kBps}`,
      );
    await close('iot-gb', cost.gbPerMonth);
    await close('iot-cap', cost.capPercent);
    await close('iot-money', cost.pricePerMonth);
    const text = (await page.locator('data.iot-gb').textContent()) ?? '';
    const format = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1 });
    t.true(text.startsWith(`${format.format(cost.gbPerMonth)} GB`), text);
  }
});

test.serial('privacy: the slider by keyboard, and the devices a rate carries', async (t) => {
  const { page, router } = await visit(t, { tab: 'privacy' });
  const slider = page.getByRole('slider', { name: 'Rate in each direction' });
  t.is(await slider.getAttribute('aria-valuetext'), '40 KB/s, 228.4 GB a month');
  await slider.focus();
  for (let step = 0; step < 6; step++) await page.keyboard.press('ArrowLeft');
  const rate = page.getByRole('textbox', { name: 'Rate in each direction' });
  t.is(await rate.inputValue(), '10');
  const carried = await page.locator('.iot-carried li').allTextContents();
  const fits = carried
    .filter((text) => text.startsWith('✓'))
    .map((text) => text.replace(/.*carried (.*) \(.*/, '$1'));
  t.deepEqual(fits, [
    'Orvibo Smart Socket',
    'TP-Link Smart Plug',
    'Sense Sleep Monitor',
    'Belkin WeMo Switch',
    'Amazon Echo',
    'Nest Security Camera',
  ]);
  await saveAndApply(page, router);
  const { uploadKBps, downloadKBps, source } = router.readConfig().main.rate;
  t.deepEqual([uploadKBps, downloadKBps, source], [10, 10, 'main.rate']);
});

test.serial('privacy: separate upload and download, and what stands under Advanced', async (t) => {
  const { page, router } = await visit(t, { tab: 'privacy' });
  await page.getByLabel('Separate upload and download').check();
  const upload = page.getByRole('textbox', { name: 'Upload', exact: true });
  t.is(await upload.inputValue(), '40');
  await upload.fill('35');
  await page.getByRole('textbox', { name: 'Download', exact: true }).fill('2.5');
  await page.getByText('Advanced').click();
  await page.getByLabel('Packet size').fill('1000');
  await page.getByLabel('Intervals').selectOption('constant');
  await page.getByLabel('Also part of the home').fill('br-guest');
  await page.getByLabel('Also part of the home').press('Enter');
  await page.getByLabel('Kill switch').uncheck();
  await page.getByLabel('Data cap').fill('');
  await saveAndApply(page, router);
  t.like(router.readConfig().main, {
    rate: { uploadKBps: 35, downloadKBps: 2.5, source: 'main.rate' },
    packetBytes: 1000,
    mode: 'constant',
    killswitch: false,
    dns: true,
    dataCapGB: null,
    house: ['br-guest'],
  });
  // One rate again: those of each direction go.
  await page.getByLabel('Separate upload and download').uncheck();
  await saveAndApply(page, router);
  t.like(router.readConfig().main.rate, { uploadKBps: 40, downloadKBps: 40 });
});

test.serial('privacy: a rate typed on the command line is shown and folded in', async (t) => {
  const config = `${usualConfig.replace("option enabled '1'", "option enabled '0'\n\toption upload_rate '3'")}
config 7.5 'rate'

config 1 'enabled'
`;
  const { page, router } = await visit(t, { tab: 'privacy', config });
  await page.getByText('A rate of 7.5 KB/s was typed on the command line').waitFor();
  const rate = page.getByRole('textbox', { name: 'Rate in each direction' });
  t.is(await rate.inputValue(), '7.5');
  await saveAndApply(page, router);
  const text = readFileSync(router.configPath, 'utf8');
  t.false(/config (7\.5|1) /.test(text));
  t.regex(text, /option rate '7\.5'/);
  t.regex(text, /option enabled '1'/);
  t.false(text.includes('upload_rate'));
  t.deepEqual(router.readConfig().main.rate, {
    uploadKBps: 7.5,
    downloadKBps: 7.5,
    source: 'main.rate',
  });
});

test.serial(
  'privacy: what the service would refuse is not saved, and said in its words',
  async (t) => {
    const { page, router } = await visit(t, { tab: 'privacy', expectedFaults: /Must be/ });
    const before = readFileSync(router.configPath, 'utf8');
    await page.getByRole('textbox', { name: 'Rate in each direction' }).fill('20000');
    const refusal = page.getByRole('alert').filter({ hasText: 'Not saved' });
    await clickApply(page);
    await refusal
      .getByText(/Rate in each direction.*Must be between 0\.25 and 10000 KB\/s\./)
      .waitFor();
    // What is folded away is opened where something in it is wrong.
    await page.getByRole('textbox', { name: 'Rate in each direction' }).fill('20');
    await page.getByText('Advanced').click();
    await page.getByLabel('Packet size').fill('100');
    await page.getByText('Advanced').click();
    await clickApply(page);
    await refusal.getByText('Must be a whole number between 256 and 1400 bytes.').waitFor();
    await page.getByLabel('Packet size').waitFor({ state: 'visible' });
    t.is(await refusal.count(), 1);
    t.is(readFileSync(router.configPath, 'utf8'), before);
    t.false(router.requests.some((body) => /"set"|"add"|"delete"/.test(body)));
  },
);

test.serial('a router that refuses a save is heard on every tab', async (t) => {
  const { page, router, open } = await visit(t, {
    tab: 'privacy',
    expectedFaults: /failed with|Unhandled|ERR_EMPTY_RESPONSE|Failed to fetch|XHR|HTTP error/,
  });
  const before = readFileSync(router.configPath, 'utf8');
  const refusal = page.getByRole('alert').filter({ hasText: 'Not saved' });
  const save = page.getByRole('button', { name: 'Save', exact: true });
  const refused = 'The router refused the settings: ';

  router.uci.refusal = status.invalidArgument;
  await page.getByRole('textbox', { name: 'Rate in each direction' }).fill('20');
  await save.click();
  await refusal.getByText(refused).waitFor();
  t.is(await page.getByRole('textbox', { name: 'Rate in each direction' }).inputValue(), '20');
  router.uci.refusal = status.denied;
  await save.click();
  await refusal.getByText('This login may not change the settings.').waitFor();
  // Once the router takes them, nothing is said any longer.
  router.uci.refusal = null;
  await save.click();
  await refusal.waitFor({ state: 'detached' });
  await page.locator('[data-indicator=uci-changes]').waitFor();

  router.uci.refusal = status.invalidArgument;
  await open('schedule');
  await page.getByRole('button', { name: 'Add an entry' }).click();
  await refusal.getByText(refused).waitFor();

  await open('tunnel');
  await page.getByText('Advanced').click();
  await page.getByLabel('Network device').fill('iot9');
  await save.click();
  await refusal.getByText(refused).waitFor();

  await open('devices');
  const row = page.locator('tr.iot-host', { hasText: 'kitchen-plug' });
  await row.getByRole('radio', { name: 'Block' }).check();
  await save.click();
  await refusal.getByText(refused).waitFor();
  await page.getByRole('button', { name: 'Add a device' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('MAC address').fill('18:b4:30:00:00:09');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').getByText(refused).waitFor();
  await dialog.getByRole('button', { name: 'Dismiss' }).last().click();

  await open('overview');
  await page.getByRole('switch').click();
  await refusal.getByText(refused).waitFor();
  t.true(await page.getByRole('switch').isChecked());
  t.is(readFileSync(router.configPath, 'utf8'), before);
});

test.serial('a router that is gone is heard when something is saved', async (t) => {
  const { page, router } = await visit(t, {
    tab: 'privacy',
    expectedFaults: /ERR_EMPTY_RESPONSE|Failed to fetch|ERR_SOCKET|XHR|HTTP error/,
  });
  router.isReachable = false;
  await page.getByRole('textbox', { name: 'Rate in each direction' }).fill('20');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('The router does not answer. Save again in a moment.').waitFor();
  t.is(router.readConfig().main.rate.uploadKBps, 40);
});

test.serial('Reset goes back to what the router holds, and nothing is staged', async (t) => {
  const { page, router, open } = await visit(t, { tab: 'privacy' });
  const rate = page.getByRole('textbox', { name: 'Rate in each direction' });
  await rate.fill('20');
  await page.getByRole('button', { name: 'Reset' }).click();
  await page.waitForFunction(
    () => document.querySelector<HTMLInputElement>('input[inputmode=decimal]')?.value === '40',
  );
  await page.getByText('228.4 GB').waitFor();
  await open('schedule');
  t.is(await page.locator('.cbi-section-node').count(), 0);
  t.false(router.requests.some((body) => /"set"|"add"|"delete"/.test(body)));
});

test.serial('privacy: the rate this home asks for can be taken', async (t) => {
  const { page, router } = await visit(t, { tab: 'privacy' });
  const ask = page.getByRole('button', { name: 'What do my devices need?' });
  await ask.click();
  await page.getByText('There is no recommendation yet: it ended without a word').waitFor();
  router.service.recommendation = {
    ok: true,
    ...renderReason(notice('recommendation-basis', { mean: 250, max: 2000 })),
    upload_kBps: 12.5,
    download_kBps: 20,
    mean_ms: 42,
    max_ms: 1900,
  };
  await ask.click();
  await page.getByText('Its packets would wait 42 ms on average, 1.9 s at most.').waitFor();
  await page.getByRole('button', { name: 'Use these rates' }).click();
  await saveAndApply(page, router);
  t.like(router.readConfig().main.rate, { uploadKBps: 12.5, downloadKBps: 20 });
});

test.serial('tunnel: a wrong profile is refused by line, a right one stored', async (t) => {
  const { page, router } = await visit(t, { tab: 'tunnel' });
  const paste = page.getByLabel('Or paste it');
  const store = page.getByRole('button', { name: 'Store the profile' });
  await store.click();
  await page.getByText('Choose a file or paste the profile first.').waitFor();
  await paste.fill(goodProfile.replace('dev tun\n', 'dev tun\nup /tmp/evil.sh\n'));
  await store.click();
  const alert = page.getByRole('alert').filter({ hasText: 'This profile is refused' });
  await alert.waitFor();
  t.regex(
    (await alert.textContent()) ?? '',
    /Line 4: up \/tmp\/evil\.sh: runs a program on the router/,
  );
  t.is(router.service.profile, '');
  const buffer = Buffer.from(goodProfile);
  await page
    .getByLabel('From a file')
    .setInputFiles({ name: 'home.ovpn', mimeType: 'text/plain', buffer });
  await page.getByText('home.ovpn is read; store it to use it.').waitFor();
  await page.getByRole('button', { name: 'Check only' }).click();
  await page.getByText('This profile is valid; it leads to vps.example.org:1194.').waitFor();
  t.is(router.service.profile, '');
  await store.click();
  await page
    .getByText(
      'Stored. The tunnel to vps.example.org:1194 is tried now; above you see whether it connects.',
    )
    .waitFor();
  t.is(router.service.profile, goodProfile);
  t.is(await paste.inputValue(), '');
  t.is(((await page.locator('.iot-code').textContent()) ?? '').split('\n').length, 4);
});

test.serial('tunnel: where the profile and the tunnel are is under Advanced', async (t) => {
  const { page, router } = await visit(t, { tab: 'tunnel' });
  await page.getByText('Advanced').click();
  await page.getByLabel('Network device').fill('iot9');
  await saveAndApply(page, router);
  t.deepEqual(router.readConfig().tunnel, {
    profile: '/etc/iotshaper/home.ovpn',
    interface: 'iot9',
  });
});

test.serial('schedule: an entry is added, seen in the week, saved and deleted', async (t) => {
  const { page, router } = await visit(t, { tab: 'schedule', expectedFaults: /Must be 0 or/ });
  await page.getByText('An observer learns nothing').waitFor();
  await page.getByRole('button', { name: 'Add an entry' }).click();
  const first = page.getByRole('group', { name: 'Entry 1' });
  await first.getByLabel('From').fill('22:00');
  await first.getByLabel('Until').fill('06:00');
  await first.getByRole('checkbox', { name: 'Saturday' }).uncheck();
  await page.getByText('At another rate the stream is steady too').waitFor();
  t.is(await page.locator('.iot-run').count(), 12);
  await page.getByRole('button', { name: 'Add an entry' }).click();
  const second = page.getByRole('group', { name: 'Entry 2' });
  await second.getByLabel('Rate').fill('0.1');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Must be 0 or between 0.25 and 10000 KB/s.').waitFor();
  await second.getByLabel('Rate').fill('0');
  await page.getByText('At rate 0 an observer sees when your devices are used').waitFor();
  await page.getByText('Mon 00:00–06:00: entry 2, plain tunnel').waitFor();
  await saveAndApply(page, router);
  t.like(router.readConfig().schedules[0], {
    days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sun'],
    startMinute: 22 * 60,
    endMinute: 6 * 60,
    rateKBps: 5,
  });
  await page.getByRole('button', { name: 'Delete: Entry 2' }).click();
  await page.getByRole('group', { name: 'Entry 2' }).waitFor({ state: 'detached' });
  await saveAndApply(page, router);
  t.is(router.readConfig().schedules.length, 1);
});
