// Bench: how long the page's longest tasks take with a thousand devices: node build/test/luci/longest-tasks.js [ROUNDS]
import type { Page } from 'playwright-core';
import { closeBrowser, openContext, openTab } from './browser.ts';
import { startRouter } from './router.ts';
import { deviceCount, devicesAt, waitForPolls } from './thousand-devices.ts';

const ROUNDS = Number(process.argv[2] ?? 6);
const POLLS_A_ROUND = 2;
/** Beyond this a person notices. Other work on the machine lengthens tasks: the quietest round counts. */
const NOTICED_MS = 100;
const BROKEN_MS = 10 * NOTICED_MS;

/** Counts in the page from now on how long its longest task took, ms. */
const watchTasks = (page: Page) =>
  page.evaluate(() => {
    const holder = window as unknown as { longest: number };
    holder.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries())
        holder.longest = Math.max(holder.longest, duration);
    }).observe({ type: 'longtask' });
  });

const takeLongest = (page: Page) =>
  page.evaluate(() => {
    const holder = window as unknown as { longest: number };
    const { longest } = holder;
    holder.longest = 0;
    return longest;
  });

console.log(
  `longest task of each round with ${deviceCount} devices, ms (0: none of 50 ms; ${NOTICED_MS} would be noticed)`,
);
const router = await startRouter({});
router.service.devices = devicesAt(0);
try {
  for (const tab of ['devices', 'overview']) {
    const context = await openContext(router, {});
    const page = await context.newPage();
    await openTab(page, router, tab);
    await watchTasks(page);
    // Null: the same page with nothing changing in it.
    await new Promise((later) => setTimeout(later, 2000));
    const idle = await takeLongest(page);
    const longest: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await waitForPolls(router, page, POLLS_A_ROUND);
      if (tab === 'devices') {
        await page
          .getByLabel('Find a device by name, maker or address')
          .fill(`Device ${round + 1}`);
        await page.getByText('Show more').click({ force: true, noWaitAfter: true });
      }
      longest.push(await takeLongest(page));
    }
    const quietest = Math.min(...longest);
    console.log(
      `${tab.padEnd(10)}${longest.map((ms) => Math.round(ms)).join(' ')}; least ${Math.round(quietest)}; left alone ${Math.round(idle)}`,
    );
    if (quietest > BROKEN_MS) process.exitCode = 1;
    await context.close();
  }
} finally {
  await closeBrowser();
  await router.close();
}
