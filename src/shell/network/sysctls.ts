// Settings of the system that are changed for as long as a role runs.
import type { System } from '../system/system.ts';
import { readSysctl, writeSysctl } from './netdev.ts';

/** Remembers what stood before. */
export class Sysctls {
  readonly #system: Pick<System, 'files'>;
  readonly #before = new Map<string, string>();

  constructor(system: Pick<System, 'files'>) {
    this.#system = system;
  }

  /** @param path below /proc/sys */
  async set(path: string, value: string): Promise<void> {
    const before = await readSysctl(this.#system, path);
    if (before === null || before === value) return;
    // First, since a write that is reported as failed may have been done.
    if (!this.#before.has(path)) this.#before.set(path, before);
    await writeSysctl(this.#system, path, value);
  }

  /** Commands that put back what stood before. */
  byHand(): string[] {
    return [...this.#before].map(
      ([path, value]) => `sysctl -w ${path.replaceAll('/', '.')}=${value}`,
    );
  }

  /** Puts back what stood before; goes on where that is refused, which the next call tries again. @throws the first refusal */
  async restore(): Promise<void> {
    const refused: unknown[] = [];
    for (const [path, value] of this.#before) {
      await writeSysctl(this.#system, path, value).then(
        () => this.#before.delete(path),
        (error) => refused.push(error),
      );
    }
    if (refused.length > 0) throw refused[0];
  }
}
