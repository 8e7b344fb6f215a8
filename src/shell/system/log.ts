// The service's log: one line an event, where procd and systemd pick it up with its level.

/** Levels of syslog(3) that the service uses. */
export type Level = 'err' | 'warning' | 'notice' | 'info';

const NUMBERS: Record<Level, number> = { err: 3, warning: 4, notice: 5, info: 6 };

export type Log = (level: Level, text: string) => void;

/**
 * Writes `level: text` on standard error; `<LEVEL>text` (sd-daemon(3)'s prefix) where the reader asks for it by
 * LOG_PREFIX=1. With LOG_SPLIT=1 notices and information go to standard output: procd reads no prefix but logs the one
 * stream as daemon.info, the other as daemon.err (procd, service/instance.c).
 */
export const log: Log = (level, text) => {
  const { LOG_PREFIX, LOG_SPLIT } = process.env;
  const prefix = LOG_PREFIX === '1' ? `<${NUMBERS[level]}>` : `${level}: `;
  const stream =
    LOG_SPLIT === '1' && NUMBERS[level] > NUMBERS.warning ? process.stdout : process.stderr;
  stream.write(`${prefix}${text.replace(/[\r\n]+/g, ' ')}\n`);
};
