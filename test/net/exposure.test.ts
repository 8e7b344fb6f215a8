// Nothing of a device, nothing of the tunnel's inside at the provider, whatever dies and whoever else writes rules.
import test from 'ava';
import { exposureCases } from './exposure/cases.ts';
import { ExposureLab } from './exposure/exposure-lab.ts';
import { houseCases } from './exposure/house-cases.ts';
import { injectionCases } from './exposure/injection-cases.ts';

let exposure: ExposureLab;

test.before(async () => {
  exposure = await ExposureLab.start('expo');
});

test.after.always(() => exposure?.close());

const cases = [...exposureCases, ...injectionCases, ...houseCases];

for (const { name, plant, heal, slow, open, foreign, allowed } of cases) {
  if (slow) continue; // make exposure
  test.serial(name, async (t) => {
    let remark = '';
    const seen = await exposure.watch(async () => {
      remark = (await plant(exposure)) ?? '';
    });
    await heal?.(exposure);
    if (remark !== '') t.log(remark);
    if (!foreign) t.deepEqual(seen.inside, []);
    const devices = seen.devices.filter((words) => !allowed || !words.includes(allowed));
    if (!open) t.deepEqual(devices, []);
  });
}
