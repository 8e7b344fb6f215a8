// A thousand devices: the page shows thirty at a time and changes what stands there, so that it stays quick.
import test from 'ava';
import { closeBrowser, visit } from './browser.ts';
import { deviceCount, devicesAt, waitForPolls } from './thousand-devices.ts';

test.after.always(closeBrowser);

test.serial(`${deviceCount} devices: thirty rows, changed in place at every poll`, async (t) => {
  const { page, router } = await visit(t, {
    tab: 'devices',
    prepare: ({ service }) => {
      service.devices = devicesAt(0);
    },
  });
  const rows = page.locator('tr.iot-host');
  t.is(await rows.count(), 30);
  await page.getByText(/^30 of 1.?0\d\d devices$/).waitFor();
  await rows.evaluateAll((all) => {
    for (const row of all) row.setAttribute('data-seen', '');
  });
  const said = await rows.allTextContents();
  await waitForPolls(router, page, 2);
  await page.waitForFunction(
    (before) =>
      [...document.querySelectorAll('tr.iot-host')].filter(
        (row, index) => row.textContent !== before[index],
      ).length > 10,
    said,
  );
  t.is(await page.locator('tr.iot-host[data-seen]').count(), 30);
  await page.getByText('Show more').click();
  t.is(await rows.count(), 60);
  await page.getByLabel('Find a device by name, maker or address').fill('Device 77');
  t.is(await rows.count(), 11);
});
