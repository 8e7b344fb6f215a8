// The file of a run that tells every message's way: written by the run, read by who compares.
import { LabError } from '../error.ts';
import type { Delay } from './traffic-log.ts';

const HEADER = 'time,device,direction,protocol,bytes,delay_ms';

/** One line a message in the order given; what never arrived has no delay. */
export function renderDelays(delays: readonly Delay[]): string {
  const rows = delays.map(
    ({ timeS, device, direction, protocol, bytes, delayMs }) =>
      `${timeS.toFixed(6)},${device},${direction},${protocol},${bytes},${delayMs?.toFixed(3) ?? ''}`,
  );
  return `${[HEADER, ...rows].join('\n')}\n`;
}

/**
 * Reads what {@link renderDelays} wrote.
 * @param name what errors call the file
 * @throws {LabError} where it is something else
 */
export function parseDelays(text: string, name: string): Delay[] {
  const [header, ...lines] = text.trimEnd().split('\n');
  if (header !== HEADER) throw new LabError(`${name}: does not begin with "${HEADER}"`);
  return lines.map((line, i) => {
    const [timeS, device, direction, protocol, bytes, delayMs] = line.split(',');
    if (
      delayMs === undefined ||
      (direction !== 'up' && direction !== 'down') ||
      (protocol !== 'tcp' && protocol !== 'udp') ||
      ![timeS, bytes, delayMs].every((field) => Number.isFinite(Number(field)))
    ) {
      throw new LabError(`${name}: line ${i + 2} is "${line}", expected ${HEADER}`);
    }
    return {
      timeS: Number(timeS),
      device: device!,
      direction,
      protocol,
      bytes: Number(bytes),
      delayMs: delayMs === '' ? null : Number(delayMs),
    };
  });
}
