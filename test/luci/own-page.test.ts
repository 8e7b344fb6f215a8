// The page of Debian in Chromium, over its real server: login, state, settings, what is refused, and what a browser may not do.
import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { closeBrowser, launchBrowser } from './browser.ts';
import { type Home, password, readSettings, startHome } from './own-home.ts';

interface Look {
  locale?: string;
  width?: number;
  /** Faults that a test brings about. */
  expectedFaults?: RegExp;
}

test.after.always(() => closeBrowser());

/** A page of a browser at the home's login; whatever it complains of fails the test. */
async function visit(t: ExecutionContext, home: Home, look: Look = {}): Promise<Page> {
  const { locale = 'en-GB', width = 1000, expectedFaults } = look;
  const context = await (await launchBrowser()).newContext({
    ...{ locale, timezoneId: 'Europe/Berlin', ignoreHTTPSErrors: true },
    viewport: { width, height: 900 },
    colorScheme: 'light',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const faults: string[] = [];
  const note = (text: string) => {
    if (!expectedFaults?.test(text)) faults.push(text);
  };
  page.on('pageerror', ({ message }) => note(message));
  page.on('console', (said) => {
    if (said.type() === 'error') note(said.text());
  });
  t.teardown(async () => {
    await context.close();
    if (faults.length > 0) throw new Error(`the page is at fault: ${faults.join('\n')}`);
  });
  await page.goto(home.url);
  return page;
}

async function start(t: ExecutionContext, options: Parameters<typeof startHome>[0] = {}) {
  const home = await startHome(options);
  t.teardown(() => home.close());
  return home;
}

const isReady = (page: Page) => page.locator('body[data-ready=true]').waitFor();

async function logIn(page: Page): Promise<void> {
  await page.locator('#password').fill(password);
  await page.locator('button[type=submit]').click();
  await isReady(page);
}

async function open(page: Page, home: Home, tab: string): Promise<void> {
  await page.goto(`${home.url}/${tab}`);
  await isReady(page);
}

/** Does what puts settings in force, and waits for the page that says so. */
async function applied(page: Page, act: () => Promise<unknown>): Promise<void> {
  const loaded = page.waitForEvent('load');
  await act();
  await loaded;
  await isReady(page);
}

const saveAndApply = (page: Page) =>
  applied(page, () => page.locator('.cbi-page-actions .cbi-button-apply').click());

test('a wrong password is refused, the right one shows the state, logging out ends it', async (t) => {
  const home = await start(t);
  const page = await visit(t, home, { expectedFaults: /401/ });
  t.is(new URL(page.url()).pathname, '/login');
  await page.locator('#password').fill('not the password');
  await page.locator('button[type=submit]').click();
  await page.locator('.iot-login-fault', { hasText: 'That is not the password.' }).waitFor();
  await logIn(page);
  await page
    .locator('.iot-banner[data-state=shaping]', { hasText: 'one steady stream of 40 KB/s' })
    .waitFor();
  await page.locator('.iot-panel svg .iot-stream').first().waitFor({ state: 'attached' });
  t.deepEqual(await page.evaluate(() => document.cookie), '');
  await page.locator('.iot-leave').click();
  await page.locator('#password').waitFor();
  await page.goto(`${home.url}/privacy`);
  t.is(new URL(page.url()).pathname, '/login');
});

test('a rate is changed and put in force; a bad one is told in the option’s words', async (t) => {
  const home = await start(t);
  const page = await visit(t, home);
  await logIn(page);
  await open(page, home, 'privacy');
  const rate = page.getByLabel('Rate in each direction', { exact: true }).first();
  await rate.fill('nonsense');
  await rate.blur();
  await page.locator('.cbi-fault', { hasText: 'between 0.25 and 10000 KB/s' }).waitFor();
  await page.locator('.cbi-page-actions .cbi-button-apply').click();
  await page.locator('.alert-message.error', { hasText: 'Not saved' }).waitFor();
  t.is(home.service.reloads, 0);
  t.is(readSettings(home).main.rate.uploadKBps, 40);
  await rate.fill('60');
  await rate.blur();
  await saveAndApply(page);
  await page.locator('.alert-message.success', { hasText: 'The settings are in force.' }).waitFor();
  t.is(home.service.reloads, 1);
  t.is(readSettings(home).main.rate.uploadKBps, 60);
  t.is(readSettings(home).main.pagePort, home.port);
});

test('the switch takes devices off at once', async (t) => {
  const home = await start(t);
  const page = await visit(t, home);
  await logIn(page);
  await applied(page, () => page.locator('.iot-switch input').click());
  t.false(readSettings(home).main.enabled);
  await page.locator('.iot-banner[data-state=off]').waitFor();
});

test('devices, networks and entries are kept until they are applied, all together', async (t) => {
  const home = await start(t);
  const page = await visit(t, home);
  await logIn(page);
  await open(page, home, 'devices');
  t.is(await page.locator('.iot-host', { hasText: 'echo-dot' }).count(), 1);
  t.is(await page.locator('.iot-host', { hasText: '00:00:5e' }).count(), 0, 'the gateway');
  await page.locator('.iot-host', { hasText: 'echo-dot' }).getByLabel('Block').check();
  await page.getByRole('button', { name: 'Add a device' }).click();
  const dialog = page.locator('.modal');
  await dialog.getByLabel('Name', { exact: true }).fill('Lamp');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.locator('.alert-message.error', { hasText: 'MAC address' }).waitFor();
  await dialog.getByLabel('MAC address').fill('02:00:00:00:00:99');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.locator('#unapplied .alert-message').waitFor();
  t.is(readSettings(home).devices.length, 2);
  await saveAndApply(page);
  const devices = readSettings(home).devices.map(({ name, policy }) => [name, policy]);
  t.deepEqual(devices.slice(2).sort(), [
    ['Lamp', 'shape'],
    ['echo-dot', 'block'],
  ]);
  await open(page, home, 'schedule');
  await page.getByRole('button', { name: 'Add an entry' }).click();
  await page.locator('.iot-entry').waitFor();
  await saveAndApply(page);
  t.is(readSettings(home).schedules.length, 1);
});

test('what somebody else changed meanwhile is not written over', async (t) => {
  const home = await start(t);
  const [page, other] = [await visit(t, home), await visit(t, home)];
  for (const each of [page, other]) {
    await logIn(each);
    await open(each, home, 'privacy');
  }
  const change = async (each: Page, text: string) => {
    const rate = each.getByLabel('Rate in each direction', { exact: true }).first();
    await rate.fill(text);
    await rate.blur();
  };
  await change(other, '70');
  await saveAndApply(other);
  await change(page, '20');
  await page.locator('.cbi-page-actions .cbi-button-apply').click();
  await page.locator('.alert-message.error', { hasText: 'Somebody else' }).waitFor();
  t.is(readSettings(home).main.rate.uploadKBps, 70);
  t.is(await page.getByLabel('Rate in each direction', { exact: true }).first().inputValue(), '70');
});

test('a profile is judged before it is stored', async (t) => {
  const home = await start(t);
  const page = await visit(t, home);
  await logIn(page);
  await open(page, home, 'tunnel');
  await page.locator('.iot-profile').fill('client\nup /bin/sh\n');
  await page.getByRole('button', { name: 'Store' }).click();
  await page.locator('.iot-notice.error', { hasText: 'Line 2' }).waitFor();
  t.is(home.service.profile, '');
});

test('it is German where the browser is', async (t) => {
  const home = await start(t);
  const page = await visit(t, home, { locale: 'de-DE' });
  await page.getByRole('button', { name: 'Anmelden' }).waitFor();
  await logIn(page);
  await page.locator('.iot-sentence', { hasText: 'Ihr Anbieter sieht' }).waitFor();
  t.is(await page.locator('.iot-tabs a').nth(1).textContent(), 'Geräte');
  await open(page, home, 'privacy');
  await page.getByRole('button', { name: 'Speichern & anwenden' }).waitFor();
});

test('it fits a telephone, light and dark', async (t) => {
  const home = await start(t);
  const page = await visit(t, home, { width: 360 });
  await logIn(page);
  for (const tab of ['overview', 'devices', 'privacy', 'tunnel', 'schedule']) {
    await open(page, home, tab);
    const over = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    t.is(over, 0, tab);
  }
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  t.is(await ground(), 'rgb(255, 255, 255)');
  await page.emulateMedia({ colorScheme: 'dark' });
  t.is(await ground(), 'rgb(22, 25, 28)');
});

test('what comes without TLS is led there, and nobody outside the house gets anything', async (t) => {
  const home = await start(t);
  const plain = await fetch(`http://127.0.0.1:${home.port}/overview`, { redirect: 'manual' });
  t.is(plain.status, 302);
  t.is(plain.headers.get('location'), `https://127.0.0.1:${home.port}/`);
  t.regex(home.log[0]!, /^notice: the page is at https:\/\/127\.0\.0\.1:/);
  const closed = await start(t, { netdev: 'lo' });
  t.deepEqual(closed.log, []);
  await t.throwsAsync(fetch(`http://127.0.0.1:${closed.port}/`));
});
