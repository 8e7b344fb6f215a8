// Settings of the system that are changed for as long as a role runs.
import type { System } from '../system/system.ts';
import { writeSysctl } from './netdev.ts';

/** Remembers what stood before. */
export class Sysctls {
  readonly #system: Pick<System, 'files'>;
  readonly #before = new Map<string, string>();

  constructor(system: Pick<System, 'files'>) {
    this.#system = system;
  }

  /** @param path below /proc/sys */
  async set(path: string, value: string): Promise<void> {
    const before = await writeSysctl(this.#system, path, value);
    if (before !== null && !this.#before.has(path)) this.#before.set(path, before);
  }

  /** Puts back what stood before; goes on where that is refused. @throws the first refusal */
  async restore(): Promise<void> {
    const refused: unknown[] = [];
    for (const [path, value] of this.#before) {
      await writeSysctl(this.#system, path, value).catch((error) => refused.push(error));
    }
    this.#before.clear();
    if (refused.length > 0) throw refused[0];
  }
}
