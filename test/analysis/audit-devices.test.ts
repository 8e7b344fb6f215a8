// Which device it was: told where the wire shows it, and not where it does not.
import test from 'ava';
import type { ActivitySample } from '../../src/core/analysis/audit-activity.ts';
import type { WirePacket } from '../../src/core/analysis/wire-features.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import { testDevices } from '../../src/research/analysis/audit-devices.ts';

const options = { startS: 1000, windowS: 1, windows: 300, permutations: 499, seed: 3 };

/** Two devices that talk in seconds of their own; the wire has more packets while `leaking` talks. */
function twoDevices(leaking: string | null) {
  const random = seededRandom(9);
  const activity = new Map<string, ActivitySample[]>([
    ['camera', []],
    ['plug', []],
  ]);
  const wire: WirePacket[] = [];
  for (let second = 0; second < options.windows; second++) {
    const draw = random();
    const talks = draw < 0.3 ? 'camera' : draw < 0.6 ? 'plug' : null;
    const at = () => options.startS + second + random();
    if (talks) activity.get(talks)!.push({ timeS: at(), bytes: 100, direction: 'up' });
    const packets = 30 + Math.floor(random() * 5) + (talks === leaking && talks ? 6 : 0);
    for (let k = 0; k < packets; k++) {
      wire.push({ timeS: at(), bytes: 564, direction: k % 2 ? 'up' : 'down' });
    }
  }
  wire.sort((a, b) => a.timeS - b.timeS);
  return { wire, activity };
}

test('a device whose activity shows is told from the rest, and windows are named after it', (t) => {
  const { wire, activity } = twoDevices('camera');
  const { devices, named } = testDevices(wire, activity, options);
  t.is(devices[0]!.device, 'camera');
  t.true(devices[0]!.auc.value > 0.9, `${devices[0]!.auc.value}`);
  t.true(devices[0]!.adjustedP < 0.01);
  t.deepEqual([...named!.labels].sort(), ['camera', 'plug']);
  t.true(named!.right > 0.9 * named!.windows, `${named!.right} of ${named!.windows}`);
  t.true(named!.right > named!.chanceHigh && named!.pValue < 0.01);
});

test('what the wire does not show is not told', (t) => {
  const { wire, activity } = twoDevices(null);
  const { devices, named, windows } = testDevices(wire, activity, options);
  t.is(windows, options.windows);
  t.is(devices.length, 2);
  for (const { device, auc, adjustedP } of devices) {
    t.true(auc.low < 0.5 && auc.high > 0.5, `${device}: ${auc.low} to ${auc.high}`);
    t.true(adjustedP > 0.05, `${device}: ${adjustedP}`);
  }
  t.true(named!.pValue > 0.05, `${named!.pValue}`);
  t.true(Math.abs(named!.chance / named!.windows - 0.5) < 0.05);
});

test('a device that is never idle or hardly ever talks cannot be asked about', (t) => {
  const { wire, activity } = twoDevices('camera');
  activity.set('silent', [{ timeS: options.startS + 3, bytes: 40, direction: 'up' }]);
  const { devices, named } = testDevices(wire, activity, options);
  t.false(devices.some(({ device }) => device === 'silent'));
  t.false(named!.labels.includes('silent'));
  const alone = testDevices(wire, new Map([['camera', activity.get('camera')!]]), options);
  t.is(alone.named, null);
});

test('the same seed gives the same figures', (t) => {
  const { wire, activity } = twoDevices('plug');
  t.deepEqual(testDevices(wire, activity, options), testDevices(wire, activity, options));
});
