// Threads are processes of their own here: each waits for nobody, and all they share is what they say, a line each.
import * as machine from 'quickjs:machine';
import { exit } from 'quickjs:std';
import { lineReader } from '../lines.ts';
import type { System, Thread, ThreadEvents, ThreadPort, ThreadProgram } from '../system.ts';
import { Stream } from './connections.ts';
import { loop } from './loop.ts';
import { quickjsProcesses } from './processes.ts';

/** What the program is called with, before the role. */
const WORD = '--thread';
/** What it said last, where it ended by a fault. */
const LONGEST_ERROR = 2000;

export const startThread: System['startThread'] = (
  { role }: ThreadProgram,
  { onMessage, onError, onEnd }: ThreadEvents,
): Thread => {
  let said = '';
  const child = quickjsProcesses.spawn([...quickjsProcesses.program, WORD, role], {
    onOutput: lineReader((line) => onMessage(JSON.parse(line)), Number.POSITIVE_INFINITY),
    onErrorOutput: (piece) => {
      said = (said + machine.decode(piece)).slice(-LONGEST_ERROR);
    },
    onExit: ({ failure, status, signal }) => {
      if (failure !== null) onError(failure);
      else if (status !== 0) onError(said.trim() || `ended by ${signal ?? `status ${status}`}`);
      onEnd();
    },
  });
  return { post: (message) => child.write(`${JSON.stringify(message)}\n`) };
};

/** The port to whoever started this process; null where it is none that was started as this thread. */
export function threadPort(role: string): ThreadPort | null {
  if (scriptArgs[1] !== WORD || scriptArgs[2] !== role) return null;
  // Whoever ends all processes of a group, as a terminal does, means the first one: this one ends with its input.
  machine.signals(machine.SIGTERM, machine.SIGINT, machine.SIGHUP, machine.SIGUSR2);
  machine.unblock(0);
  const input = new Stream(0);
  input.onClose(() => exit(0));
  return {
    post: (message) => {
      const line = new Uint8Array(machine.encode(`${JSON.stringify(message)}\n`));
      for (let at = 0; at < line.length; ) {
        const taken = machine.write(1, line.subarray(at));
        if (taken < 0) exit(0); // nobody is left to be told
        at += taken;
      }
    },
    onMessage: (listener) => input.onData(lineReader((line) => listener(JSON.parse(line)))),
    close: () => loop.soon(() => exit(0)),
  };
}
