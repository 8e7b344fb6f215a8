// What a status adds up to: reconnects, a day's totals.
import test from 'ava';
import { EndpointFigures, type ServedHome } from '../../src/core/endpoint/fleet/figures.ts';

const HOUR_MS = 3_600_000;
const begin = Date.UTC(2026, 10, 29, 22);

function home(online: boolean, more: Partial<ServedHome> = {}): ServedHome {
  const stream = { download_kBps: 40, packet_size: 512 };
  const usual = { ...stream, slots_asked_per_s: 80, slots_sent_per_s: 80 };
  return { name: 'a', online, ...usual, queue_ms: 0, dropped: 0, ...more };
}

test('one that comes again is counted, one that comes first is not', (t) => {
  const figures = new EndpointFigures();
  const states = [false, true, true, false, false, true, false, true];
  states.forEach((online, i) => {
    figures.note([home(online)], begin + i * 5000);
  });
  t.is(figures.reconnectsOf('a'), 2);
  t.is(figures.reconnectsOf('b'), 0);
});

test('of what devices do nothing is told before the day is over, and then its totals', (t) => {
  const figures = new EndpointFigures();
  const note = (hours: number, dropped: number, queueMs: number) =>
    figures.note([home(true, { dropped, queue_ms: queueMs })], begin + hours * HOUR_MS);
  note(0, 5, 900);
  note(1, 7, 0);
  note(2.5, 7, 0); // the next day; the one before was not seen from its beginning
  t.is(figures.lastDay, null);
  note(3, 10, 40);
  note(4, 2, 70); // connected anew: its count, too
  t.is(figures.lastDay, null);
  note(26.5, 3, 5000);
  t.deepEqual(figures.lastDay, { droppedPackets: 5, longestWaitMs: 70 });
  note(27, 100, 5000);
  t.deepEqual(figures.lastDay, { droppedPackets: 5, longestWaitMs: 70 });
});
