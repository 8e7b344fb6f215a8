// The log's lines, where procd and systemd pick them up with their level.
import type { Level, Log } from '../log.ts';

const NUMBERS: Record<Level, number> = { err: 3, warning: 4, notice: 5, info: 6 };

/**
 * Writes `level: text` on standard error; `<LEVEL>text` (sd-daemon(3)'s prefix) where the reader asks for it by
 * LOG_PREFIX=1. With LOG_SPLIT=1 notices and information go to standard output: procd reads no prefix but logs the one
 * stream as daemon.info, the other as daemon.err (procd, service/instance.c).
 */
export const nodeLog: Log = (level, text) => {
  const { LOG_PREFIX, LOG_SPLIT } = process.env;
  const prefix = LOG_PREFIX === '1' ? `<${NUMBERS[level]}>` : `${level}: `;
  const stream =
    LOG_SPLIT === '1' && NUMBERS[level] > NUMBERS.warning ? process.stdout : process.stderr;
  stream.write(`${prefix}${text.replace(/[\r\n]+/g, ' ')}\n`);
};
