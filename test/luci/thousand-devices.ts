// A router that knows a thousand devices, each of which does something else at every poll.
import type { Page } from 'playwright-core';
import type { DeviceStatus } from '../../src/core/home/api.ts';
import type { Router } from './router.ts';

export const deviceCount = 1000;

const macOf = (index: number) =>
  `02:00:00:00:${[index >> 8, index & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;

/** What every device does at a moment: each poll shows something else in each row. */
export const devicesAt = (moment: number): DeviceStatus[] =>
  Array.from({ length: deviceCount }, (_unused, index) => ({
    name: `Device ${index}`,
    mac: macOf(index),
    ip: [`10.0.${index >> 8}.${index & 255}`],
    policy: 'shape',
    online: (index + moment) % 3 > 0,
    kBps: ((index + moment) % 50) / 10,
    tx_bytes: index * 1000 + moment,
    rx_bytes: index * 2000 + moment,
  }));

/** Waits until the page has asked so many times more, and was told something else each time. */
export async function waitForPolls(router: Router, page: Page, count: number): Promise<void> {
  for (let poll = 0; poll < count; poll++) {
    router.service.now++;
    router.service.devices = devicesAt(router.service.now % 97);
    const answered = page.waitForResponse(
      async (response) => (await response.request().postData())?.includes('"status"') ?? false,
    );
    await (await answered).finished();
  }
}
