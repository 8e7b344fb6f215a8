import { readFileSync } from 'node:fs';
import test from 'ava';
import { type NoticeCode, notice } from '../../src/core/notices/notice.ts';
import { closeBrowser, visit } from './browser.ts';

test.after.always(closeBrowser);

const hostile = '<img src=x onerror=alert(1)>';
/** Of a service that says more than the page has words for. */
const unknown = { code: hostile as NoticeCode, values: { [hostile]: hostile } };

test.serial('a login that may read sees all and can change nothing', async (t) => {
  const { page, router, open } = await visit(t, { role: 'read' });
  const before = readFileSync(router.configPath, 'utf8');
  for (const tab of ['overview', 'devices', 'privacy', 'tunnel', 'schedule']) {
    await open(tab);
    await page.getByText('This login may look at the settings but not change them.').waitFor();
    const enabled = await page
      .locator('.iot-page :is(input, select, textarea):enabled')
      .evaluateAll((inputs) => inputs.map((input) => input.getAttribute('type')));
    // A search changes nothing.
    t.deepEqual(enabled, tab === 'devices' ? ['search'] : [], tab);
    for (const name of [
      'Save & Apply',
      'Save',
      'Run an audit',
      'Store the profile',
      'Add a device',
      'Add an entry',
    ]) {
      const button = page.getByRole('button', { name, exact: true });
      if ((await button.count()) > 0) t.true(await button.isDisabled(), `${tab}: ${name}`);
    }
  }
  t.false(router.requests.some((body) => /"(set|add|delete|audit|profile_store)"/.test(body)));
  t.is(readFileSync(router.configPath, 'utf8'), before);
});

test.serial('names from the network are text, whatever they hold', async (t) => {
  const { page, open } = await visit(t, {
    facts: {
      hints: { '02:00:00:00:00:09': { ipaddrs: ['192.168.1.9'], name: hostile } },
      leases: {
        dhcp_leases: [{ macaddr: '02:00:00:00:00:0a', ipaddr: '192.168.1.10', hostname: hostile }],
      },
      interfaces: [{ interface: hostile, l3_device: 'br-evil' }],
    },
    prepare: ({ service }) => {
      const status = service.status();
      service.override = {
        reason: hostile,
        version: hostile,
        rate: { ...status.rate, source: `schedule ${hostile}` },
        tunnel: { ...status.tunnel, remote: hostile, address: hostile, peer: hostile },
        endpoint: { state: 'up', version: hostile },
        config: {
          ok: false,
          errors: [{ path: hostile, value: hostile, message: hostile, ...unknown }],
          warnings: [hostile, hostile],
          warning_notices: [unknown, notice('option-unknown', { path: hostile })],
        },
        devices: [
          {
            name: hostile,
            mac: '02:00:00:00:00:0b',
            ip: [hostile],
            policy: 'shape',
            online: true,
            kBps: 1,
            tx_bytes: 1,
            rx_bytes: 1,
          },
        ],
      };
      service.report = {
        state: 'done',
        verdict: 'leak',
        sentence: hostile,
        sentence_notices: [unknown],
        figures: [
          {
            name: hostile,
            name_code: unknown.code,
            name_values: unknown.values,
            value: 1,
            unit: hostile,
            leak: true,
          },
        ],
      };
      service.recommendation = {
        ok: false,
        reason: hostile,
        reason_code: unknown.code,
        reason_values: unknown.values,
      };
    },
  });
  const alerts: string[] = [];
  page.on('dialog', (dialog) => {
    alerts.push(dialog.message());
    void dialog.dismiss();
  });
  for (const tab of ['overview', 'devices', 'privacy', 'tunnel', 'schedule']) {
    await open(tab);
    if (tab === 'privacy') {
      await page.getByRole('button', { name: 'What do my devices need?' }).click();
      await page.getByText(hostile).first().waitFor();
    }
    if (tab === 'devices') {
      // A hostile name keeps its text through UCI as well.
      await page.locator('tr.iot-host').first().getByRole('radio', { name: 'Block' }).check();
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.locator('[data-indicator=uci-changes]').waitFor();
    }
    if (tab !== 'schedule') t.true((await page.getByText(hostile).count()) > 0, tab);
    t.is(await page.locator('.iot-page :is(img, script, iframe)').count(), 0, tab);
  }
  t.deepEqual(alerts, []);
});

test.serial('no tab is wider than a phone', async (t) => {
  const { page, open } = await visit(t, { width: 360 });
  for (const tab of ['overview', 'devices', 'privacy', 'tunnel', 'schedule']) {
    await open(tab);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    t.is(overflow, 0, tab);
  }
});

test.serial('every control has a name', async (t) => {
  const { page, open } = await visit(t);
  for (const tab of ['overview', 'devices', 'privacy', 'tunnel', 'schedule']) {
    await open(tab);
    const add = page.getByRole('button', { name: 'Add an entry' });
    if (tab === 'schedule') await add.click();
    const nameless = await page
      .locator('.iot-page :is(input, select, textarea, button)')
      .evaluateAll((controls) =>
        controls
          .filter((control) => {
            const { labels, textContent } = control as HTMLInputElement;
            const named =
              control.getAttribute('aria-label') || textContent || labels?.[0]?.textContent;
            return !named?.trim();
          })
          .map((control) => control.outerHTML),
      );
    t.deepEqual(nameless, [], tab);
  }
});
