// What still works under a defence, use by use, and the file that tells it.
import test from 'ava';
import { LabError } from '../../src/research/lab/error.ts';
import { countFunctions, describeFunction } from '../../src/research/lab/findings/functions.ts';
import { parseDelays, renderDelays } from '../../src/research/lab/traffic/delays-csv.ts';
import type { Delay } from '../../src/research/lab/traffic/traffic-log.ts';

const message = (timeS: number, device: string, delayMs: number | null): Delay => ({
  ...{ timeS, device, direction: 'up', protocol: 'tcp', bytes: 100, delayMs },
});
const event = (timeS: number, device: string, name: string) => ({ timeS, device, event: name });

test('a use works when all of it arrived; what is said unasked counts by message', (t) => {
  const events = [event(10, 'nest-cam', 'motion'), event(30, 'nest-cam', 'live view')].concat(
    event(50, 'nest-cam', 'motion'),
  );
  const messages = [
    message(2, 'nest-cam', 5),
    message(10.1, 'nest-cam', 5),
    message(12, 'nest-cam', 6),
    message(25, 'nest-cam', null),
    message(30.1, 'nest-cam', 5),
    message(31, 'nest-cam', null),
    // Of the second motion nothing was even sent: its server's name was not found.
    { ...message(31.2, 'nest-cam', 5), direction: 'down' as const },
    message(11, 'echo', 4),
  ];
  t.deepEqual(countFunctions(messages, events), [
    { device: 'Nest security camera', name: 'motion', tried: 2, worked: 1 },
    { device: 'Nest security camera', name: 'live view', tried: 1, worked: 0 },
    { device: 'Nest security camera', name: 'keeps in touch', tried: 2, worked: 1 },
    { device: 'Amazon Echo', name: 'keeps in touch', tried: 1, worked: 1 },
  ]);
});

test('what hardly ever works is dead, what mostly does impaired', (t) => {
  t.is(describeFunction(20, 0), 'dead (0 of 20)');
  t.is(describeFunction(20, 15), 'impaired (15 of 20)');
  t.is(describeFunction(20, 19), 'works (19 of 20)');
  t.is(describeFunction(0, 0), '–');
});

test('delays are read as they were written; anything else is refused with its line', (t) => {
  const delays = [message(1.5, 'echo', 12.345), message(2.25, 'sense', null)];
  const text = renderDelays(delays);
  t.deepEqual(parseDelays(text, 'delays.csv'), delays);
  t.deepEqual(parseDelays(renderDelays([]), 'delays.csv'), []);
  const refused = { instanceOf: LabError };
  t.is(
    t.throws(() => parseDelays('time,device\n', 'x.csv'), refused)!.message,
    'x.csv: does not begin with "time,device,direction,protocol,bytes,delay_ms"',
  );
  for (const line of ['1,echo,up,tcp,5', '1,echo,side,tcp,5,6', '1,echo,up,tcp,five,6']) {
    const broken = `${text.split('\n')[0]}\n${line}\n`;
    t.regex(t.throws(() => parseDelays(broken, 'x.csv'), refused)!.message, /^x\.csv: line 2 is "/);
  }
});
