// A form half written: what is sound is typed, what is not is null.
import test from 'ava';
import { mainSection, scheduleSection } from '../../src/core/config/options/options.ts';
import { readDraft } from '../../src/core/page/draft.ts';

test('what is not written has its default', (t) => {
  t.like(readDraft(mainSection, {}), {
    enabled: false,
    rateKBps: 40,
    uploadKBps: null,
    packetBytes: 512,
    mode: 'vit',
    maxDelayMs: 10_000,
    dataCapGB: null,
  });
  t.is(readDraft(mainSection, { rate: '', packet_size: null }).rateKBps, 40);
});

test('what is refused is null and spoils nothing else', (t) => {
  t.like(readDraft(mainSection, { rate: 'fast', packet_size: '1000', dns: 'maybe' }), {
    rateKBps: null,
    packetBytes: 1000,
    dns: null,
  });
});

test('a list holds what is sound in it, however it is written', (t) => {
  const { days } = readDraft(scheduleSection, { days: ['mon', 'monday', 'sun'] });
  t.deepEqual(days, ['mon', 'sun']);
  t.deepEqual(readDraft(scheduleSection, { days: 'tue wed' }).days, ['tue', 'wed']);
  t.is(readDraft(scheduleSection, {}).days?.length, 7);
  t.deepEqual(readDraft(mainSection, { house: ['br-guest', 'br guest'] }).house, ['br-guest']);
});

test('times are minutes, and what is required and missing is null', (t) => {
  const draft = readDraft(scheduleSection, { start: '22:30', end: '25:00' });
  t.like(draft, { startMinute: 1350, endMinute: null, rateKBps: null });
});
