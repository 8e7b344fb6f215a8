// The program's own threads on the stand-in machine: each a real one's class, with all it holds counted, so that it can die.
import { SHAPER_ROLE } from '../../../src/shell/shaper/messages.ts';
import { ShaperThread } from '../../../src/shell/shaper/thread.ts';
import type {
  Cancel,
  Child,
  System,
  Thread,
  ThreadEvents,
  ThreadPort,
  ThreadProgram,
  Timers,
  UdpSocket,
} from '../../../src/shell/system/system.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What one thread holds open: while there is any, its event loop goes on. */
export class Holdings {
  readonly timers = new Set<Cancel>();
  readonly sockets = new Set<UdpSocket>();
  readonly children = new Set<Child>();
  /** A dead thread hears nothing any more. */
  isClosed = false;

  get isEmpty(): boolean {
    return this.timers.size + this.sockets.size + this.children.size === 0;
  }

  /** The thread is dead: what it held is closed, and its children read their end. */
  close(): void {
    this.isClosed = true;
    for (const cancel of [...this.timers]) cancel();
    for (const socket of [...this.sockets]) socket.close();
    for (const child of [...this.children]) child.endInput();
    this.timers.clear();
    this.sockets.clear();
    this.children.clear();
  }
}

/** A thread's own view of the machine, which notes what it holds. */
export function systemOfThread(system: System, holdings: Holdings, onChange: () => void): System {
  const { timers, sockets, processes } = system;
  const hold = (cancel: () => void): (() => void) => {
    const forget = (): void => {
      holdings.timers.delete(forget);
      cancel();
      onChange();
    };
    holdings.timers.add(forget);
    return forget;
  };
  const held: Timers = {
    soon: timers.soon,
    oversleep: timers.oversleep,
    after: (delayMs, work) => {
      const forget = hold(
        timers.after(delayMs, () => {
          holdings.timers.delete(forget);
          work();
          onChange();
        }),
      );
      return forget;
    },
    every: (periodMs, work) => hold(timers.every(periodMs, work)),
  };
  return {
    ...system,
    timers: held,
    sockets: {
      ...sockets,
      openUdp: async (options) => {
        const socket = await sockets.openUdp(options);
        if (holdings.isClosed) {
          socket.close();
          throw new Error('the thread is dead');
        }
        const { close } = socket;
        holdings.sockets.add(socket);
        socket.close = () => {
          holdings.sockets.delete(socket);
          close.call(socket);
          onChange();
        };
        return socket;
      },
    },
    processes: {
      ...processes,
      spawn: (argv, events) => {
        const child = processes.spawn(argv, {
          ...events,
          onExit: (end) => {
            holdings.children.delete(child);
            if (!holdings.isClosed) events.onExit(end);
            onChange();
          },
        });
        holdings.children.add(child);
        return child;
      },
    },
  };
}

interface RunningThread {
  role: string;
  /** It throws, and that is its end. */
  fail(text: string): void;
}

/** All threads that run. */
export class ThreadTable {
  readonly running = new Set<RunningThread>();
  readonly #time: VirtualTime;
  readonly #starts: Record<string, (port: ThreadPort, system: System) => void> = {
    [SHAPER_ROLE]: (port, system) => void new ShaperThread(port, system),
  };

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  start(system: System, { role }: ThreadProgram, events: ThreadEvents): Thread {
    const begin = this.#starts[role];
    if (!begin) throw new Error(`this machine knows no thread of the role ${role}`);
    const { soon } = this.#time.timers;
    const holdings = new Holdings();
    let listener: ((message: unknown) => void) | null = null;
    let isOver = false;
    let isClosed = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      holdings.close();
      this.running.delete(thread);
      soon(events.onEnd);
    };
    const thread: RunningThread = {
      role,
      fail: (text) => {
        if (isOver) return;
        soon(() => events.onError(text));
        end();
      },
    };
    this.running.add(thread);
    const endIfIdle = (): void => {
      if (isClosed && holdings.isEmpty) end();
    };
    const guard = (work: () => void): void => {
      if (isOver) return;
      try {
        work();
      } catch (error) {
        thread.fail((error as Error).message);
      }
    };
    const port: ThreadPort = {
      post: (message) => {
        const copy = structuredClone(message);
        // What was posted before its end is told before it.
        if (!isOver) soon(() => events.onMessage(copy));
      },
      onMessage: (told) => {
        listener = told;
      },
      close: () => {
        isClosed = true;
        soon(endIfIdle);
      },
    };
    const own = systemOfThread(system, holdings, endIfIdle);
    // A thread takes a moment to start; what is posted meanwhile waits for it.
    soon(() => guard(() => begin(port, own)));
    return {
      post: (message) => {
        const copy = structuredClone(message);
        soon(() => guard(() => listener?.(copy)));
      },
    };
  }

  print(): string {
    return [...this.running].map(({ role }) => role).join('\n');
  }
}
