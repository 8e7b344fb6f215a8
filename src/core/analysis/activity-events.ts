// Events that really happened: what an attack's findings and the audit's onsets are held against.
import { LineError } from '../text/line-error.ts';

/** Something that happened at home. */
export interface HomeEvent {
  timeS: number;
  /** Empty where the file does not say. */
  device: string;
  event: string;
}

/**
 * Reads events: CSV lines of time,device,event (or time,event), or a Markdown table of time and description. Times are
 * seconds, since 1970 or since the capture began. A line of titles, rules of tables, empty lines and those that begin
 * with # are passed over.
 * @throws LineError naming the line
 */
export function parseEvents(text: string, name: string): HomeEvent[] {
  const events: HomeEvent[] = [];
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.replace(/^\uFEFF/, '').trim();
    if (line === '' || line.startsWith('#')) return;
    const isTable = line.startsWith('|');
    const fields = (isTable ? line.replace(/^\||\|$/g, '').split('|') : line.split(',')).map(
      (field) => field.trim().replace(/^"(.*)"$/, '$1'),
    );
    if (isTable && fields.every((field) => /^:?-+:?$/.test(field))) return;
    const timeS = Number(fields[0]);
    if (fields[0] === '' || !Number.isFinite(timeS)) {
      if (events.length === 0 && /^[a-z]/i.test(fields[0] ?? '')) return;
      throw new LineError(name, i + 1, `time is "${fields[0]}", expected seconds`);
    }
    const [device, event] =
      isTable || fields.length < 3
        ? ['', fields.slice(1).join(', ')]
        : [fields[1]!, fields.slice(2).join(', ')];
    events.push({ timeS, device, event });
  });
  if (events.length === 0) throw new LineError(name, 1, 'holds no event (time,device,event)');
  return events.sort((a, b) => a.timeS - b.timeS);
}

/** Puts events on the clock of a capture that began at `startS`: times of less than ten years are counted from there. */
export function alignEvents(events: readonly HomeEvent[], startS: number): HomeEvent[] {
  const tenYearsS = 3.15e8;
  const relative = events.every(({ timeS }) => timeS < tenYearsS) && startS > tenYearsS;
  return relative
    ? events.map((event) => ({ ...event, timeS: event.timeS + startS }))
    : [...events];
}
