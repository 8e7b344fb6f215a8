// Shares of the week: what schedules make of a month's cost.
import test from 'ava';
import { parseConfig } from '../../src/core/config/config.ts';
import { scheduleShares } from '../../src/core/cost/shares.ts';

const sharesOf = (sections: string) => scheduleShares(parseConfig(sections).config);

test('without schedules nothing is at another rate', (t) => {
  t.deepEqual(sharesOf("config iotshaper 'main'\n\toption rate '40'\n"), []);
});

test('a schedule over midnight counts once for each of its days', (t) => {
  const shares = sharesOf(`
config schedule 'night'
	list days 'sun'
	list days 'mon'
	option start '22:00'
	option end '04:00'
	option rate '5'
`);
  const total = shares.reduce((sum, { share }) => sum + share, 0);
  t.true(Math.abs(total - (2 * 6) / (7 * 24)) < 1e-9);
  t.true(shares.every(({ uploadKBps, downloadKBps }) => uploadKBps === 5 && downloadKBps === 5));
});

test('a schedule that always holds is the whole week', (t) => {
  const shares = sharesOf(`
config schedule 'always'
	list days 'mon'
	list days 'tue'
	list days 'wed'
	list days 'thu'
	list days 'fri'
	list days 'sat'
	list days 'sun'
	option start '00:00'
	option end '00:00'
	option rate '0'
`);
  t.true(Math.abs(shares.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
});
