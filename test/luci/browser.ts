// A real Chromium, one for a test file, and pages in it that watch for faults of the page.
import type { ExecutionContext } from 'ava';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Role } from './bridge/acl.ts';
import { sessionOf } from './bridge/server.ts';
import { type Router, type RouterOptions, startRouter } from './router.ts';

/** What LuCI itself asks for, where it is served in place of the stand-in, and this router lacks. */
const luciFaults = process.env.LUCI_SOURCE
  ? /cgi-exec|RPC call to uci\/(changes|get) failed with error -32002/
  : null;

let browser: Promise<Browser> | null = null;

export function launchBrowser(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  return browser;
}

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = null;
}

export interface VisitOptions extends RouterOptions {
  tab?: string;
  role?: Role;
  language?: string;
  locale?: string;
  isDark?: boolean;
  width?: number;
  /** Faults that a test brings about on purpose. */
  expectedFaults?: RegExp;
  prepare?: (router: Router) => unknown;
}

export interface Visit {
  router: Router;
  page: Page;
  open(tab: string): Promise<void>;
}

/** Opens a context as a browser with these preferences would be. */
export async function openContext(
  router: Router,
  { role = 'write', language = 'en', locale = 'en-GB', isDark = false, width = 1000 }: VisitOptions,
): Promise<BrowserContext> {
  const context = await (await launchBrowser()).newContext({
    locale,
    timezoneId: 'Europe/Berlin',
    viewport: { width, height: 900 },
    screen: { width, height: 900 },
    colorScheme: isDark ? 'dark' : 'light',
  });
  const cookies = { sysauth_http: sessionOf[role], lang: language, dark: isDark ? '1' : '0' };
  await context.addCookies(
    Object.entries(cookies).map(([name, value]) => ({ name, value, url: router.url })),
  );
  return context;
}

/** Waits until the tab stands and has asked the service once. */
export async function openTab(page: Page, router: Router, tab: string): Promise<void> {
  await page.goto(`${router.url}/${tab}`);
  await page.locator('.iot-page h2').waitFor();
  await page.waitForFunction(
    () => !document.querySelector('#view')?.textContent?.includes('Asking'),
  );
}

/**
 * A router and a page on one of its tabs, gone after the test. The test fails if the page raised an
 * error, wrote one to the console, or called something LuCI may not have.
 */
export async function visit(t: ExecutionContext, options: VisitOptions = {}): Promise<Visit> {
  const router = await startRouter(options);
  t.teardown(() => router.close());
  await options.prepare?.(router);
  const context = await openContext(router, options);
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const faults: string[] = [];
  const note = (text: string) => {
    if (!options.expectedFaults?.test(text) && !luciFaults?.test(text)) faults.push(text);
  };
  page.on('pageerror', (error) => note(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') note(`${message.text()} ${message.location().url}`);
  });
  t.teardown(async () => {
    const missing = await page.evaluate(
      () => (window as { missingCalls?: string[] }).missingCalls ?? [],
    );
    await context.close();
    const all = [...faults, ...missing];
    if (all.length > 0) throw new Error(`the page is at fault: ${all.join('\n')}`);
  });
  await openTab(page, router, options.tab ?? 'overview').catch((error: Error) => {
    throw new Error(`${error.message}\nthe page is at fault: ${faults.join('\n')}`);
  });
  return { router, page, open: (tab) => openTab(page, router, tab) };
}

/** LuCI's own button is a menu with two entries, no button of the browser's. */
export const clickApply = (page: Page) =>
  page.locator('.cbi-page-actions .cbi-button-apply').first().click();

/** Clicks Save & Apply and waits until the change is applied, confirmed and the page comes anew. */
export async function saveAndApply(page: Page, router: Router): Promise<void> {
  const { reloads } = router.service;
  const loaded = page.waitForEvent('load');
  await clickApply(page);
  await loaded;
  await page.locator('.iot-page h2').waitFor();
  if (router.service.reloads !== reloads + 1) throw new Error('the service was not reloaded once');
}
