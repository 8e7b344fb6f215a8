import { readFileSync } from 'node:fs';
import test from 'ava';
import type { Page } from 'playwright-core';
import { closeBrowser, saveAndApply, visit } from './browser.ts';

test.after.always(closeBrowser);

/** The row of one device. */
const rowOf = (page: Page, name: string) => page.locator('tr.iot-host', { hasText: name });

test.serial('devices: what the router and the service know, one row each', async (t) => {
  const { page } = await visit(t, { tab: 'devices' });
  const rows = await page.locator('tr.iot-host').allTextContents();
  const names = ['Nest Cam', 'Old printer', 'echo-dot', 'kitchen-plug', 'phone'];
  t.is(rows.length, names.length);
  for (const [index, name] of names.entries()) t.true(rows[index]?.startsWith(name), name);
  t.regex(rows[0] ?? '', /Nest18:b4:30:00:00:01 192\.168\.1\.50online, 9\.4 KB\/s/);
  t.regex(rows[1] ?? '', /192\.168\.1\.77quiet, 13\.3 MB so far/);
  t.regex(rows[3] ?? '', /Tuya/);
  t.regex(rows[4] ?? '', /made-up address/);
  await page.getByLabel('Find a device by name, maker or address').fill('amazon');
  t.is(await page.locator('tr.iot-host').count(), 1);
});

test.serial('devices: shape, block and bypass are one click each', async (t) => {
  const { page, router } = await visit(t, { tab: 'devices' });
  await rowOf(page, 'kitchen-plug').getByRole('radio', { name: 'Shape' }).check();
  await rowOf(page, 'Nest Cam').getByRole('radio', { name: 'Block' }).check();
  await rowOf(page, 'Old printer').getByRole('radio', { name: 'As the network' }).check();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('[data-indicator=uci-changes]').waitFor();
  // Staged is not applied yet; what is staged can still be changed.
  t.is(router.readConfig().devices.length, 2);
  await rowOf(page, 'kitchen-plug').getByRole('radio', { name: 'Bypass' }).check();
  await saveAndApply(page, router);
  const devices = router
    .readConfig()
    .devices.map(({ name, mac, policy }) => ({ name, mac, policy }));
  t.deepEqual(devices, [
    { name: 'Nest Cam', mac: '18:b4:30:00:00:01', policy: 'block' },
    { name: 'kitchen-plug', mac: '38:1f:8d:b0:c9:01', policy: 'bypass' },
  ]);
  t.is(await page.locator('[data-indicator=uci-changes]').count(), 0);
});

test.serial('devices: added by MAC and by address, refused when it is neither', async (t) => {
  const { page, router } = await visit(t, { tab: 'devices' });
  const dialog = page.getByRole('dialog');
  const [name, mac] = [
    dialog.getByRole('textbox', { name: 'Name' }),
    dialog.getByLabel('MAC address'),
  ];
  const save = dialog.getByRole('button', { name: 'Save' });
  const add = page.getByRole('button', { name: 'Add a device' });
  // What was chosen in a row is kept while another device is added.
  await rowOf(page, 'kitchen-plug').getByRole('radio', { name: 'Bypass' }).check();
  await add.click();
  await save.click();
  await dialog.getByText('Give its MAC address or an IP address.').waitFor();
  await mac.fill('the plug');
  await save.click();
  await dialog.getByText('Must be the hardware address of one device').waitFor();
  await mac.fill('18-b4-30-00-00-01');
  await save.click();
  await dialog.getByText('Nest Cam is in the list already.').waitFor();
  await name.fill('Doorbell');
  await mac.fill('18-B4-30-00-00-09');
  await save.click();
  await rowOf(page, 'Doorbell').waitFor();
  await add.click();
  await name.fill('Hall sensors');
  await dialog.getByLabel('IP addresses').fill('192.168.1.256');
  await save.click();
  await dialog.getByText('Must be an IPv4 or IPv6 address or prefix').waitFor();
  await dialog.getByLabel('IP addresses').fill('192.168.1.128/26');
  await save.click();
  await rowOf(page, 'Hall sensors').waitFor();
  await saveAndApply(page, router);
  const { devices } = router.readConfig();
  t.deepEqual(
    devices.map(({ name, mac, ip, policy }) => [name, mac ?? ip[0], policy]),
    [
      ['Nest Cam', '18:b4:30:00:00:01', 'shape'],
      ['Old printer', '192.168.1.77/32', 'block'],
      ['kitchen-plug', '38:1f:8d:b0:c9:01', 'bypass'],
      ['Doorbell', '18:b4:30:00:00:09', 'shape'],
      ['Hall sensors', '192.168.1.128/26', 'shape'],
    ],
  );
});

test.serial('devices: one is edited, another that was begun is given up', async (t) => {
  const { page, router } = await visit(t, { tab: 'devices' });
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Add a device' }).click();
  await dialog.getByRole('button', { name: 'Dismiss' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Edit: Nest Cam' }).click();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Garden camera');
  await dialog.getByLabel('Treatment').selectOption('bypass');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await rowOf(page, 'Garden camera').waitFor();
  await saveAndApply(page, router);
  t.deepEqual(
    router.readConfig().devices.map(({ name, mac, policy }) => [name, mac, policy]),
    [
      ['Garden camera', '18:b4:30:00:00:01', 'bypass'],
      ['Old printer', null, 'block'],
    ],
  );
});

test.serial(
  'devices: a network by the interface’s name is the one with that network device',
  async (t) => {
    const { page } = await visit(t, {
      tab: 'devices',
      prepare: ({ configPath, writeConfig }) =>
        writeConfig(readFileSync(configPath, 'utf8').replace("'br-iot'", "'iot'")),
    });
    t.true(await page.getByLabel('iot (br-iot)').isChecked());
    t.is(await page.locator('.iot-check').count(), 2);
  },
);

test.serial('devices: whole networks, and what Reset leaves', async (t) => {
  const { page, router } = await visit(t, { tab: 'devices' });
  const [lan, iot] = [page.getByLabel('lan (br-lan)'), page.getByLabel('iot (br-iot)')];
  t.deepEqual([await lan.isChecked(), await iot.isChecked()], [false, true]);
  t.is(await page.getByLabel(/wan/).count(), 0);
  await iot.uncheck();
  await page.getByRole('button', { name: 'Reset' }).click();
  await page.waitForFunction(
    () => document.querySelectorAll('.iot-check input:checked').length === 1,
  );
  await lan.check();
  await saveAndApply(page, router);
  t.deepEqual(
    router.readConfig().networks.map(({ device }) => device),
    ['br-iot', 'br-lan'],
  );
});
