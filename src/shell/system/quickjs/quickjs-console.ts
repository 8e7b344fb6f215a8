// The console of a process that QuickJS runs.
import * as machine from 'quickjs:machine';
import { isatty } from 'quickjs:os';
import { exit } from 'quickjs:std';
import type { Console, ConsoleSignal } from '../console.ts';
import { loop } from './loop.ts';

const STDOUT = 1;
const STDERR = 2;
const WRITABLE = 4;

let exitStatus = 0;

/** Runs the program until nothing is left to do, or until something is thrown that nobody catches. */
export function runToEnd(): never {
  try {
    loop.run();
  } catch (error) {
    const { message, stack } = error as Error;
    writeWhole(STDERR, bytesOf(`${message}\n${stack}\n`));
    exit(1);
  }
  exit(exitStatus);
}

/** To be opened once, by the program itself. */
export function openConsole(): Console {
  let outlives = false;
  const listeners = new Map<ConsoleSignal, Set<() => void>>();
  const print = (fd: number, bytes: Uint8Array): void => {
    if (writeWhole(fd, bytes) || outlives || fd === STDERR) return;
    exit(0); // the reader, `head` say, has seen enough
  };
  return {
    words: scriptArgs.slice(1),
    write: (text) => print(STDOUT, bytesOf(text)),
    writeError: (text) => print(STDERR, bytesOf(text)),
    isTerminal: isatty(STDERR),
    onSignal: (name, work) => {
      const works = listeners.get(name) ?? new Set();
      if (!listeners.has(name)) listenTo(name, works);
      listeners.set(name, works);
      works.add(work);
      return () => void works.delete(work);
    },
    setExitStatus: (status) => {
      exitStatus = status;
    },
    exit: (status) => exit(status),
    outliveReaders: () => {
      outlives = true;
    },
    keepFilesPrivate: () => void machine.mask(0o077),
  };
}

const { SIGTERM, SIGINT, SIGHUP } = machine;
const numbers: Readonly<Record<ConsoleSignal, number>> = { SIGTERM, SIGINT, SIGHUP };

function listenTo(name: ConsoleSignal, works: ReadonlySet<() => void>): void {
  const fd = machine.signals(numbers[name]);
  loop.onReadable(fd, () => {
    if (machine.nextSignal(fd) > 0) for (const work of works) work();
  });
  loop.release(fd);
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? new Uint8Array(machine.encode(text)) : text;
}

/** Waits where the reader is slow: what was said is not lost. */
function writeWhole(fd: number, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const taken = machine.write(fd, bytes.subarray(at));
    if (taken === -machine.EAGAIN) {
      const poll = new Uint8Array(8);
      new Int32Array(poll.buffer)[0] = fd;
      new Int16Array(poll.buffer)[2] = WRITABLE;
      machine.wait(poll, 1, -1);
    } else if (taken < 0) return false;
    else at += taken;
  }
  return true;
}
