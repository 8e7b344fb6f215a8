// The service's log: one line an event, where procd and systemd pick it up with its level.
import type { Console } from './console.ts';
import type { System } from './system.ts';

/** Levels of syslog(3) that the service uses. */
export type Level = 'err' | 'warning' | 'notice' | 'info';

const NUMBERS: Record<Level, number> = { err: 3, warning: 4, notice: 5, info: 6 };

export type Log = (level: Level, text: string) => void;

/**
 * Writes `level: text` on standard error; `<LEVEL>text` (sd-daemon(3)'s prefix) where the reader asks for it by
 * LOG_PREFIX=1. With LOG_SPLIT=1 notices and information go to standard output: procd reads no prefix but logs the one
 * stream as daemon.info, the other as daemon.err (procd, service/instance.c).
 */
export function consoleLog(
  { processes }: Pick<System, 'processes'>,
  console: Pick<Console, 'write' | 'writeError'>,
): Log {
  const isPrefixed = processes.environment('LOG_PREFIX') === '1';
  const isSplit = processes.environment('LOG_SPLIT') === '1';
  return (level, text) => {
    const prefix = isPrefixed ? `<${NUMBERS[level]}>` : `${level}: `;
    const line = `${prefix}${text.replace(/[\r\n]+/g, ' ')}\n`;
    if (isSplit && NUMBERS[level] > NUMBERS.warning) console.write(line);
    else console.writeError(line);
  };
}
