// When OpenVPN is told to connect anew: an endpoint silent for long, and no sooner.
import test from 'ava';
import type { HomeDatapath } from '../../src/shell/home/home-datapath.ts';
import { HomeWatch } from '../../src/shell/home/home-watch.ts';

/** As much of a datapath as is asked. */
const inState = (tunnelState: HomeDatapath['tunnelState']) => ({ tunnelState }) as HomeDatapath;
const up = inState('up');

test('after fifteen seconds of silence, then each fifteen seconds again', (t) => {
  const watch = new HomeWatch();
  t.false(watch.wantsReconnect(up, 1000));
  t.false(watch.wantsReconnect(up, 15_999));
  t.true(watch.wantsReconnect(up, 16_000));
  t.false(watch.wantsReconnect(up, 17_000));
  t.false(watch.wantsReconnect(up, 30_999));
  t.true(watch.wantsReconnect(up, 31_000));
});

test('one packet begins the silence anew', (t) => {
  const watch = new HomeWatch();
  t.false(watch.wantsReconnect(up, 0));
  watch.received.push(0, 13_000);
  watch.received.push(1, 14_000);
  t.false(watch.wantsReconnect(up, 14_000));
  watch.received.push(1, 15_000);
  t.false(watch.wantsReconnect(up, 15_000));
  t.false(watch.wantsReconnect(up, 29_999));
  t.true(watch.wantsReconnect(up, 30_000));
});

test('a tunnel that is being set up is left to OpenVPN', (t) => {
  const watch = new HomeWatch();
  for (let nowMs = 0; nowMs < 60_000; nowMs += 1000)
    t.false(watch.wantsReconnect(inState('connecting'), nowMs));
});
