// The page that an installed home serves, in Chromium on a device of that home: login, state, a rate that comes to pass.
import { mkdir, writeFile } from 'node:fs/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { lab } from '../../src/research/lab/bed/topology.ts';
import type { HomeNetwork } from '../net/home-network.ts';

const PICTURES = 'out/screens';

/** A browser that is in the network of devices. */
async function launchAmongDevices(network: HomeNetwork): Promise<Browser> {
  const program = network.path('chromium');
  const { CHROMIUM = '/usr/bin/chromium' } = process.env;
  const command = `exec ip netns exec ${network.topology.names.devices} ${CHROMIUM} "$@"`;
  await writeFile(program, `#!/bin/sh\n${command}\n`, { mode: 0o755 });
  return chromium.launch({
    executablePath: program,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}

/** @param said what "iotshaper password" printed */
export async function openPage(
  network: HomeNetwork,
  said: string,
): Promise<{ page: Page; browser: Browser; url: string }> {
  const [, password = ''] = /^The password of the page is (\S+)$/m.exec(said) ?? [];
  const [url = ''] = /^https:\S+$/m.exec(said) ?? [];
  if (url !== `https://${lab.lanAddress}:8443/`) throw new Error(`the page is nowhere: ${said}`);
  const [device] = network.topology.devices;
  // A browser does not say which of the devices it is.
  await network.netns('devices', [
    ...['ip', 'route', 'add', lab.lanAddress],
    ...['dev', device!.netdev, 'src', device!.ip],
  ]);
  const browser = await launchAmongDevices(network);
  const context = await browser.newContext({
    ...{ ignoreHTTPSErrors: true, colorScheme: 'light' },
    viewport: { width: 1000, height: 900 },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  // The service looks for a password every few seconds.
  for (let left = 20; ; left--) {
    const answer = await page.goto(url).catch(() => null);
    if (answer?.ok()) break;
    if (left === 0) throw new Error(`${url} does not answer`);
    await page.waitForTimeout(500);
  }
  await page.locator('#password').fill(password);
  await page.locator('button[type=submit]').click();
  await page.locator('body[data-ready=true]').waitFor();
  return { page, browser, url };
}

/** A picture of the tab, bright and dark. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({
      path: `${PICTURES}/debian-${name}-${colorScheme}.png`,
      fullPage: true,
    });
  }
}

/** Sets the rate as a person does, and waits until the page says that it is in force. */
export async function setRate(page: Page, url: string, rateKBps: number): Promise<void> {
  await page.goto(`${url}privacy`);
  await page.locator('body[data-ready=true]').waitFor();
  const rate = page.getByLabel('Rate in each direction', { exact: true }).first();
  await rate.fill(`${rateKBps}`);
  await rate.blur();
  await page.locator('.cbi-page-actions .cbi-button-apply').click();
  await page.locator('.alert-message.success').waitFor();
}
