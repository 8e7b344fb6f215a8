// Which tests are unit tests: those that need nothing but Node.js and few of its seconds.

/** Folders and files below test/, beside `net/`, whose tests start the built program, a thread, a browser or a packer, or compute for seconds. */
export const others = [
  'cli/',
  'luci/',
  'package/',
  'analysis/audit-capture.test.ts',
  'analysis/audit-command.test.ts',
  'analysis/audit-devices.test.ts',
  'analysis/audit-nulls.test.ts',
  'analysis/audit.test.ts',
  'analysis/forest.test.ts',
  'analysis/identify-cli.test.ts',
  'analysis/identify.test.ts',
  'analysis/statistics.test.ts',
  'config/posix-time-zone.test.ts',
  'lab/attack.test.ts',
  'lab/observer.test.ts',
  'endpoint/store.test.ts',
  'layers.test.ts',
  'shaper/shaper.test.ts',
  'simulation/cli.test.ts',
  'simulation/recommend.test.ts',
  'simulation/simulate.test.ts',
  'simulation/slot-clock.test.ts',
  'ubus/iotshaper-object.test.ts',
  'ubus/restart.test.ts',
];

/**
 * @param {string} file below test/
 * @returns {boolean}
 */
export function isUnit(file) {
  return ![...others, 'net/'].some((other) => file.startsWith(other));
}
