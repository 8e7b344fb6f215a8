// The service's log: one line an event on standard error, where procd and systemd pick it up with its level.

/** Levels of syslog(3) that the service uses. */
export type Level = 'err' | 'warning' | 'notice' | 'info';

const NUMBERS: Record<Level, number> = { err: 3, warning: 4, notice: 5, info: 6 };

export type Log = (level: Level, text: string) => void;

/** Writes `<LEVEL>text` (sd-daemon(3)'s prefix) where the reader asks for it by LOG_PREFIX=1, plain text otherwise. */
export const log: Log = (level, text) => {
  const prefix = process.env.LOG_PREFIX === '1' ? `<${NUMBERS[level]}>` : `${level}: `;
  process.stderr.write(`${prefix}${text.replace(/[\r\n]+/g, ' ')}\n`);
};
