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

const all = [...exposureCases, ...injectionCases, ...houseCases].filter(({ slow }) => !slow); // make evaluate-exposure
const cases = [...all.filter(({ last }) => !last), ...all.filter(({ last }) => last)];

for (const { name, plant, heal, open, foreign, allowed, last } of cases) {
  test.serial(name, async (t) => {
    let remark = '';
    const seen = await exposure.watch(async () => {
      remark = (await plant(exposure)) ?? '';
    });
    if (!last) await heal?.(exposure);
    if (remark !== '') t.log(remark);
    if (!foreign) t.deepEqual(seen.inside, []);
    const devices = seen.devices.filter((words) => !allowed || !words.includes(allowed));
    if (!open) t.deepEqual(devices, []);
  });
}
