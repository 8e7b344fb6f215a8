// A real Chromium, one for a test file, and pages in it that watch for faults of the page.
import type { ExecutionContext } from 'ava';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Role } from './bridge/acl.ts';
import { type Bridge, sessionOf } from './bridge/server.ts';
import { type Router, type RouterOptions, startRouter } from './router.ts';

/** What LuCI itself asks for, where it is served in place of the stand-in, and this router lacks. */
const luciFaults = process.env.LUCI_SOURCE
  ? /cgi-exec|RPC call to uci\/(changes|get) failed with error -32002/
  : null;

const WIDTH = 1000;
const HEIGHT = 900;

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
  idlePages.clear();
}

/** Blank pages of tests that have ended, by locale: the process of a page anew costs more than most tests. */
const idlePages = new Map<string, Page[]>();

async function takePage(site: Site, options: LookOptions): Promise<Page> {
  const page = idlePages.get(localeOf(options))?.pop();
  if (!page) return (await openContext(site, options)).newPage();
  await page.setViewportSize({ width: options.width ?? WIDTH, height: HEIGHT });
  await page.emulateMedia({ colorScheme: options.isDark ? 'dark' : 'light' });
  await page.context().addCookies(cookiesOf(site, options));
  return page;
}

/** Leaves nothing of the test in the page; where that fails, there is another one next time. */
async function releasePage(page: Page, options: LookOptions): Promise<void> {
  for (const event of ['pageerror', 'console', 'dialog']) page.removeAllListeners(event);
  try {
    await page.evaluate(() => {
      localStorage.clear();
      sessionStorage.clear();
    });
    await page.goto('about:blank');
    await page.context().clearCookies();
  } catch {
    await page.context().close();
    return;
  }
  const locale = localeOf(options);
  idlePages.set(locale, [...(idlePages.get(locale) ?? []), page]);
}

/** How a person looks at the page. */
export interface LookOptions {
  tab?: string;
  role?: Role;
  language?: string;
  locale?: string;
  isDark?: boolean;
  width?: number;
  /** Faults that a test brings about on purpose. */
  expectedFaults?: RegExp;
}

export interface VisitOptions extends LookOptions, RouterOptions {
  prepare?: (router: Router) => unknown;
}

export interface Look {
  page: Page;
  open(tab: string): Promise<void>;
}

export interface Visit extends Look {
  router: Router;
}

type Site = Pick<Bridge, 'url'>;

/** Opens a context as a browser with these preferences would be. */
export async function openContext(site: Site, options: LookOptions): Promise<BrowserContext> {
  const size = { width: options.width ?? WIDTH, height: HEIGHT };
  const context = await (await launchBrowser()).newContext({
    locale: localeOf(options),
    timezoneId: 'Europe/Berlin',
    viewport: size,
    screen: size,
    colorScheme: options.isDark ? 'dark' : 'light',
  });
  await context.addCookies(cookiesOf(site, options));
  return context;
}

function localeOf({ locale = 'en-GB' }: LookOptions): string {
  return locale;
}

function cookiesOf(
  { url }: Site,
  { role = 'write', language = 'en', isDark = false }: LookOptions,
): { name: string; value: string; url: string }[] {
  const cookies = { sysauth_http: sessionOf[role], lang: language, dark: isDark ? '1' : '0' };
  return Object.entries(cookies).map(([name, value]) => ({ name, value, url }));
}

/** Waits until the tab stands and has asked the service once. */
export async function openTab(page: Page, site: Site, tab: string): Promise<void> {
  await page.goto(`${site.url}/${tab}`);
  await page.locator('.iot-page h2').waitFor();
  await page.waitForFunction(
    () => !document.querySelector('#view')?.textContent?.includes('Asking'),
  );
}

/**
 * A page on one of a router's tabs, blank again after the test. The test fails if the page raised an error,
 * wrote one to the console, or called something LuCI may not have.
 */
export async function look(
  t: ExecutionContext,
  site: Site,
  options: LookOptions = {},
): Promise<Look> {
  const page = await takePage(site, options);
  page.setDefaultTimeout(30_000);
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
    await releasePage(page, options);
    const all = [...faults, ...missing];
    if (all.length > 0) throw new Error(`the page is at fault: ${all.join('\n')}`);
  });
  await openTab(page, site, options.tab ?? 'overview').catch((error: Error) => {
    throw new Error(`${error.message}\nthe page is at fault: ${faults.join('\n')}`);
  });
  return { page, open: (tab) => openTab(page, site, tab) };
}

/** A router with the fake service on it, gone after the test, and a page on one of its tabs. */
export async function visit(t: ExecutionContext, options: VisitOptions = {}): Promise<Visit> {
  const router = await startRouter(options);
  t.teardown(() => router.close());
  await options.prepare?.(router);
  return { router, ...(await look(t, router, options)) };
}

/** LuCI's own button is a menu with two entries, no button of the browser's. */
export const clickApply = (page: Page) =>
  page.locator('.cbi-page-actions .cbi-button-apply').first().click();

/** Does what applies a change and waits until it is confirmed and the page comes anew. */
export async function applied(page: Page, act: () => Promise<unknown>): Promise<void> {
  const loaded = page.waitForEvent('load');
  await act();
  await loaded;
  await page.locator('.iot-page h2').waitFor();
}

/** Clicks Save & Apply, which the service is to hear of once. */
export async function saveAndApply(page: Page, router: Router): Promise<void> {
  const { reloads } = router.service;
  await applied(page, () => clickApply(page));
  if (router.service.reloads !== reloads + 1) throw new Error('the service was not reloaded once');
}
