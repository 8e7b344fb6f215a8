// What commander asks of Node.js's modules (events, child_process, path, fs, process), all in one: it runs no programs here.
import * as machine from 'quickjs:machine';
import { isatty } from 'quickjs:os';
import { exit as end, getenviron } from 'quickjs:std';

type Listener = (...values: unknown[]) => void;

export class EventEmitter {
  readonly #listeners = new Map<string, Listener[]>();

  on(name: string, listener: Listener): this {
    this.#listeners.set(name, [...this.listeners(name), listener]);
    return this;
  }

  listeners(name: string): Listener[] {
    return this.#listeners.get(name) ?? [];
  }

  listenerCount(name: string): number {
    return this.listeners(name).length;
  }

  emit(name: string, ...values: unknown[]): boolean {
    for (const listener of this.listeners(name)) listener.apply(this, values);
    return this.listenerCount(name) > 0;
  }
}

function printer(fd: number) {
  return {
    isTTY: isatty(fd),
    columns: 80,
    write: (text: string) => machine.write(fd, new Uint8Array(machine.encode(text))) >= 0,
  };
}

export const stdout = printer(1);
export const stderr = printer(2);
export const env = getenviron();
export const exit = end;

export { basename, dirname } from './path.ts';
