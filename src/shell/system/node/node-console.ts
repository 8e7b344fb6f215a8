// The console of a real process.
import type { Console } from '../console.ts';

/** To be opened once, by the program itself. */
export function openConsole(): Console {
  let outlives = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' && !outlives) process.exit(0); // the reader, `head` say, has seen enough
  });
  process.stderr.on('error', () => {}); // nobody is left to be told
  return {
    words: process.argv.slice(2),
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
    onSignal: (name, work) => {
      const listener = (): void => work();
      process.on(name, listener);
      return () => void process.off(name, listener);
    },
    setExitStatus: (status) => {
      process.exitCode = status;
    },
    exit: (status) => process.exit(status),
    outliveReaders: () => {
      outlives = true;
    },
    keepFilesPrivate: () => void process.umask(0o077),
  };
}
