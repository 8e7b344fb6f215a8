// The last five minutes: rates from totals, and nothing older.
import test from 'ava';
import { TrafficHistory } from '../../src/core/home/traffic-history.ts';

const totals = (n: number, isConnected = true) => ({
  uploadDeviceBytes: 2000 * n,
  downloadDeviceBytes: 3000 * n,
  uploadPackets: 78 * n,
  downloadPackets: 80 * n,
  isConnected,
});

test('rates are differences over time', (t) => {
  const history = new TrafficHistory();
  history.push(totals(0), 0, 564, 0, 100);
  t.deepEqual(history.samples, []);
  history.push(totals(1), 12.6, 564, 2000, 102);
  t.deepEqual(history.samples, [
    {
      time: 102,
      upload_device_kBps: 1,
      download_device_kBps: 1.5,
      upload_wire_kBps: 22,
      download_wire_kBps: 22.56,
      queue_ms: 13,
      upload_pps: 39,
      download_pps: 40,
    },
  ]);
  t.is(history.rates.downloadPps, 40);
});

test('what leaves the queue while there is no tunnel is on no wire', (t) => {
  const history = new TrafficHistory();
  history.push(totals(0), 0, 564, 0, 0);
  history.push(totals(1, false), 0, 564, 1000, 1);
  t.is(history.rates.uploadPps, 0);
  t.is(history.samples[0]?.upload_wire_kBps, 0);
  history.push(totals(2), 0, 564, 2000, 2);
  t.is(history.rates.uploadPps, 78);
});

test('a counter made anew is no negative rate', (t) => {
  const history = new TrafficHistory();
  history.push(totals(100), 0, 564, 0, 0);
  history.push(totals(1), 0, 564, 1000, 1);
  t.is(history.rates.uploadPps, 0);
  history.push(totals(2), 0, 564, 2000, 2);
  t.is(history.rates.uploadPps, 78);
});

test('a reading out of turn is no sample', (t) => {
  const history = new TrafficHistory();
  history.push(totals(0), 0, 564, 0, 0);
  history.push(totals(1), 0, 564, 1000, 1);
  history.push(totals(1.1), 0, 564, 1100, 1);
  t.is(history.samples.length, 1);
  history.push(totals(2), 0, 564, 2000, 2);
  t.is(history.samples[1]?.upload_pps, 78);
});

test('nothing is known of what was before it was cleared', (t) => {
  const history = new TrafficHistory();
  history.push(totals(0), 0, 564, 0, 0);
  history.push(totals(1), 0, 564, 1000, 1);
  history.clear();
  t.deepEqual([history.samples, history.rates.uploadPps], [[], 0]);
  history.push(totals(500), 0, 564, 60_000, 60);
  t.deepEqual(history.samples, []);
});

test('five minutes are kept', (t) => {
  const history = new TrafficHistory();
  for (let s = 0; s <= 400; s++) history.push(totals(s), 0, 564, 1000 * s, s);
  t.is(history.samples.length, 300);
  t.is(history.samples[0]?.time, 101);
  t.is(history.samples.at(-1)?.time, 400);
});
