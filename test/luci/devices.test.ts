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
  const [name, address] = [
    page.getByLabel('Name', { exact: true }),
    page.getByLabel('MAC or IP address'),
  ];
  const add = page.getByRole('button', { name: 'Add', exact: true });
  await address.fill('the plug');
  await add.click();
  await page.getByText('“the plug” is no address').waitFor();
  await address.fill('18-b4-30-00-00-01');
  await add.click();
  await page.getByText('Nest Cam is in the list already.').waitFor();
  await name.fill('Hall sensors');
  await address.fill('192.168.1.128/26');
  await add.click();
  await rowOf(page, 'Hall sensors').waitFor();
  await name.fill('Doorbell');
  await address.fill('18-B4-30-00-00-09');
  await address.press('Tab');
  await add.click();
  await rowOf(page, 'Doorbell').waitFor();
  await saveAndApply(page, router);
  const { devices } = router.readConfig();
  t.like(devices[2], {
    name: 'Hall sensors',
    mac: null,
    ip: ['192.168.1.128/26'],
    policy: 'shape',
  });
  t.like(devices[3], { name: 'Doorbell', mac: '18:b4:30:00:00:09', policy: 'shape' });
});

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
