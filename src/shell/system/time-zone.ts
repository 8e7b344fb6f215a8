// The time zone of this machine, as it stands now: a zone chosen while the service runs counts too.
import { type PosixTimeZone, parseTimeZone, UTC } from '../../core/config/posix-time-zone.ts';
import { type Notice, type NoticeValue, notice } from '../../core/notices/notice.ts';
import type { System } from './system.ts';

/** How long a zone is taken for granted before it is looked for again. */
const LOOK_EVERY_MS = 10_000;
const LONGEST_QUOTED = 60;

/** A zone's string and where it stands. */
interface ZoneText {
  text: string;
  from: NoticeValue;
}

/**
 * Reads the zone from, in this order: `/etc/TZ` (OpenWrt; a link to what its init script wrote), the variable TZ,
 * `/etc/localtime` (Debian, and OpenWrt with zone files). UTC where there is none of them.
 */
export class TimeZoneReader {
  readonly #system: Pick<System, 'files' | 'processes'>;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #found: ZoneText | null = null;
  #zone: PosixTimeZone | null = UTC;

  constructor(system: Pick<System, 'files' | 'processes'>) {
    this.#system = system;
  }

  /** @param nowMs of a clock that only goes on */
  read(nowMs: number): PosixTimeZone {
    if (nowMs - this.#lookedMs >= LOOK_EVERY_MS) {
      this.#lookedMs = nowMs;
      const found = this.#find();
      if (found?.text !== this.#found?.text) this.#zone = found ? parseTimeZone(found.text) : UTC;
      this.#found = found;
    }
    return this.#zone ?? UTC;
  }

  /** What is wrong with the zone last read; null when nothing is. */
  get fault(): Notice | null {
    if (this.#zone !== null || this.#found === null) return null;
    const { text, from } = this.#found;
    const quoted = text.length > LONGEST_QUOTED ? `${text.slice(0, LONGEST_QUOTED)}…` : text;
    return notice('time-zone-unread', { zone: JSON.stringify(quoted), place: from });
  }

  #find(): ZoneText | null {
    const file = this.#readFile('/etc/TZ')?.toString('utf8').trim();
    if (file) return { text: file, from: '/etc/TZ' };
    // POSIX gives what follows a colon to the implementation: all know the name of a zone file there.
    const variable = (this.#system.processes.environment('TZ') ?? '').replace(/^:/, '');
    if (parseTimeZone(variable)) return { text: variable, from: notice('environment-variable') };
    const named = /^[A-Za-z]\w*(?:[/+-]\w+)*$/.test(variable)
      ? this.#readFooter(`/usr/share/zoneinfo/${variable}`)
      : null;
    return named ?? this.#readFooter('/etc/localtime');
  }

  /** The rule for all times after those a zone file lists, its last line (RFC 9636, 3.3). */
  #readFooter(path: string): ZoneText | null {
    const bytes = this.#readFile(path);
    if (!bytes || !/^TZif[2-9]/.test(bytes.toString('latin1', 0, 5))) return null;
    const text = bytes.toString('latin1', bytes.lastIndexOf('\n', -2) + 1, bytes.length - 1);
    return text === '' ? null : { text, from: path };
  }

  #readFile(path: string): Buffer | null {
    const bytes = this.#system.files.readNow(path);
    return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
