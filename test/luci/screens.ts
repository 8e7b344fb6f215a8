// Takes pictures of every tab in every state into out/screens: node build/test/luci/screens.js
import { mkdirSync } from 'node:fs';
import { renderAs } from '../../src/core/home/answers.ts';
import { notice } from '../../src/core/notices/notice.ts';
import { closeBrowser, openContext, openTab, type VisitOptions } from './browser.ts';
import { type Router, startRouter, usualConfig } from './router.ts';

const target = 'out/screens';
const family = notice('windows-of', { window: 1 });
const schedule = `
config schedule
	list days 'mon'
	list days 'tue'
	list days 'wed'
	option start '00:30'
	option end '06:00'
	option rate '5'

config schedule
	list days 'tue'
	option start '05:00'
	option end '09:00'
	option rate '0'
`;

interface Scene {
  name: string;
  tabs: string[];
  prepare?: (router: Router) => unknown;
  looks?: VisitOptions[];
  config?: string;
}

const tabs = ['overview', 'devices', 'privacy', 'tunnel', 'schedule'];
const looks: VisitOptions[] = [
  {},
  { isDark: true },
  { width: 360 },
  { width: 360, isDark: true },
  { language: 'de', locale: 'de-DE' },
];

/** As installed: neither a profile nor devices, and switched off. */
const nothing = usualConfig
  .slice(0, usualConfig.indexOf('config network'))
  .replace("enabled '1'", "enabled '0'");

const scenes: Scene[] = [
  {
    name: 'first',
    tabs: ['overview', 'tunnel', 'devices'],
    looks: looks.slice(0, 3),
    config: nothing,
    prepare: ({ service }) => {
      const { tunnel } = service.status();
      service.devices = [];
      service.override = {
        tunnel: { state: tunnel.state, remote: '', interface: tunnel.interface },
        endpoint: { state: 'unknown', version: '' },
      };
      service.history = () => [];
    },
  },
  { name: 'shaping', tabs, looks, config: usualConfig + schedule },
  {
    name: 'audit',
    tabs: ['overview'],
    prepare: ({ service }) => {
      service.report = {
        state: 'done',
        time: service.now - 600,
        seconds: 300,
        verdict: 'clean',
        sentence: 'In 300 windows of 1 s nothing told activity from rest.',
        figures: [
          {
            ...renderAs('name', notice('figure-forest', { family })),
            value: 0.503,
            low: 0.44,
            high: 0.57,
            leak: false,
          },
          {
            ...renderAs('name', notice('figure-information', { family })),
            value: 0.001,
            unit: 'bits',
            leak: false,
          },
        ],
      };
    },
  },
  {
    name: 'blocked',
    tabs: ['overview'],
    looks: [{}, { isDark: true }, { width: 360 }],
    prepare: ({ service }) => {
      service.override = {
        state: 'blocked',
        ...renderAs('fault', notice('endpoint-silent')),
      };
      service.override.tunnel = { ...service.status().tunnel, state: 'reconnecting' };
      service.override.endpoint = { state: 'silent', version: '0.1.0' };
    },
  },
  {
    name: 'error',
    tabs: ['overview'],
    looks: [{}, { isDark: true }, { width: 360 }],
    prepare: async (router) => {
      router.service.override = { state: 'error' };
      await router.writeConfig(
        usualConfig.replace("rate '40'", "rate 'fast'").replace('18:B4:30:00:00:01', 'nest'),
      );
    },
  },
  {
    name: 'missing',
    tabs,
    prepare: async (router) => {
      await router.stopService();
      router.rpcd.facts.service = null;
    },
  },
  { name: 'stopped', tabs: ['overview'], prepare: (router) => router.stopService() },
  { name: 'readonly', tabs: ['overview', 'devices', 'privacy'], looks: [{ role: 'read' }] },
];

mkdirSync(target, { recursive: true });
const only = process.argv[2];
for (const { name, tabs: wanted, prepare, looks: styles = [{}], config } of scenes) {
  if (only && only !== name) continue;
  for (const look of styles) {
    const router = await startRouter(config ? { config } : {});
    await prepare?.(router);
    const context = await openContext(router, look);
    const page = await context.newPage();
    for (const tab of wanted) {
      await openTab(page, router, tab);
      if (tab === 'overview') await page.waitForTimeout(500);
      if (tab === 'privacy') await page.locator('summary').first().click();
      await page.evaluate(() => window.scrollTo(0, 0));
      const style = [
        look.isDark ? 'dark' : 'light',
        look.width ? String(look.width) : null,
        look.language,
        process.env.LUCI_SOURCE ? 'luci' : null,
      ];
      const path = `${target}/${[name, tab, ...style].filter(Boolean).join('-')}.png`;
      await page.screenshot({ path, fullPage: true });
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      if (overflow > 0) console.error(`${path}: ${overflow} px wider than the screen`);
    }
    await context.close();
    await router.close();
  }
}
await closeBrowser();
