// Which tests are run how: unit tests need nothing but Node.js and few of its seconds. Every file is of one kind.
import { readdirSync } from 'node:fs';

/** Folders and files below test/, beside `net/`, whose tests start the built program, a thread, a browser or a packer, or compute for seconds. */
const others = [
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
  'fleet/',
  'layers.test.ts',
  'shaper/shaper.test.ts',
  'simulation/cli.test.ts',
  'simulation/recommend.test.ts',
  'simulation/simulate.test.ts',
  'simulation/slot-clock.test.ts',
  'ubus/iotshaper-object.test.ts',
  'ubus/restart.test.ts',
];

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .sort();

/** @param {readonly string[]} paths @returns {(file: string) => boolean} */
const isBelow = (paths) => (file) => paths.some((path) => file.startsWith(path));

const idle = others.filter((path) => !files.some(isBelow([path])));
if (idle.length > 0) throw new Error(`${idle.join(', ')}: there is no such test`);

/** Files below test/. */
export const unitFiles = files.filter((file) => !isBelow([...others, 'net/'])(file));

/** Those of neither kind, nor in namespaces, as compiled. */
export const otherFiles = files.filter(isBelow(others)).map(compiled);

/** @param {string} file below test/ */
export function compiled(file) {
  return `build/test/${file.replace(/\.ts$/, '.js')}`;
}
