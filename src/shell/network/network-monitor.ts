// Tells when the machine's netdevs, addresses, routes or neighbours change, as `ip monitor` prints it.
import { SupervisedChild } from '../system/child.ts';
import type { Cancel, System } from '../system/system.ts';
import type { IpMemory } from './kernel/ip-memory.ts';

/** `house`: netdevs, addresses or routes changed, maybe neighbours too; `neighbours`: those alone. */
export type NetworkChange = 'house' | 'neighbours';

export interface MonitorOptions {
  system: System;
  onChange: (what: NetworkChange) => void;
  /** Hears everything, and when there is nobody to hear it. */
  memory?: Pick<IpMemory, 'hear' | 'distrust'>;
  /** Netdevs whose changes are not told: our own. */
  ignoredNetdevs: () => readonly string[];
  /** Numbers of the routing tables whose changes are not told: our own. */
  ignoredTables: readonly number[];
  /** Changes come in bursts; one call is for all within so long. */
  debounceMs?: number;
  /** At least so long passes from a call to the next one that is more than for neighbours. */
  houseEveryMs?: number;
  /** The same for neighbours alone, which come and go all the time. */
  neighboursEveryMs?: number;
  /** The command, as tests replace it. */
  argv?: readonly string[];
}

const COMMAND = ['ip', '-o', 'monitor', 'label', 'link', 'address', 'route', 'neigh', 'rule'];
const LINE = /^(?:Deleted )?\[(LINK|ADDR|ROUTE|NEIGH|RULE)\](?:Deleted )?(.*)$/;

/** What a line of `ip -o monitor label` is about; null for nothing of interest. */
export function readMonitorLine(
  line: string,
  ignoredNetdevs: readonly string[],
  ignoredTables: readonly number[],
): NetworkChange | null {
  const [, label, text = ''] = LINE.exec(line) ?? [];
  if (label === undefined) return null;
  const netdev =
    label === 'LINK' || label === 'ADDR'
      ? /^\d+: ([^\s@:]+)/.exec(text)?.[1]
      : /(?:^| )dev (\S+)/.exec(text)?.[1];
  // One of ours that is deleted is made again; one that others add may come before it.
  if (label === 'RULE') return 'house';
  if (netdev !== undefined && ignoredNetdevs.includes(netdev)) return null;
  // Without an address it is an entry of a bridge's own table.
  if (label === 'NEIGH') return /^[0-9a-f:.]+ dev /i.test(text) ? 'neighbours' : null;
  const ignored = [...ignoredTables, 'local'].join('|');
  if (label === 'ROUTE' && new RegExp(`\\btable (${ignored})\\b`).test(text)) return null;
  return 'house';
}

/** What is remembered of neighbours; a router has fewer. */
const MOST_NEIGHBOURS = 4096;

/**
 * Neighbours as the monitor tells of them: that one was heard again, or has not been for a while, changes nothing, and is told
 * several times a minute for each.
 */
class KnownNeighbours {
  readonly #known = new Map<string, string>();

  /** Whether the line says what was not known; true for one that is about no neighbour. */
  learn(line: string): boolean {
    const [, deleted, whom = '', rest = ''] =
      /^(Deleted )?\[NEIGH\](?:Deleted )?(\S+ dev \S+)(.*)$/.exec(line) ?? [];
    if (whom === '') return true;
    const isGone = deleted !== undefined || line.includes(']Deleted ') || /\bFAILED\b/.test(rest);
    const what = isGone ? 'gone' : (/ lladdr (\S+)/.exec(rest)?.[1] ?? '');
    if (this.#known.get(whom) === what) return false;
    if (this.#known.size >= MOST_NEIGHBOURS) this.#known.clear();
    this.#known.set(whom, what);
    return true;
  }
}

/** Watches from {@link NetworkMonitor.start} to {@link NetworkMonitor.stop}. */
export class NetworkMonitor {
  readonly #options: MonitorOptions;
  readonly #child: SupervisedChild;
  readonly #neighbours = new KnownNeighbours();
  #cancel: Cancel | null = null;
  #dueMs = 0;
  #pending: NetworkChange | null = null;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#child = new SupervisedChild({
      system: options.system,
      argv: () => options.argv ?? COMMAND,
      onLine: (line) => {
        const isNews = this.#neighbours.learn(line);
        options.memory?.hear(line, isNews);
        const what = readMonitorLine(line, options.ignoredNetdevs(), options.ignoredTables);
        if (what && isNews) this.#note(what);
      },
      onExit: () => options.memory?.distrust(),
      // What changed meanwhile was missed.
      onStart: () => {
        options.memory?.distrust();
        this.#note('house');
      },
    });
  }

  start(): void {
    this.#child.start();
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#pending = null;
    this.#options.memory?.distrust();
    await this.#child.stop();
    this.#options.memory?.distrust();
  }

  #note(what: NetworkChange): void {
    const {
      system,
      debounceMs = 200,
      houseEveryMs = 1000,
      neighboursEveryMs = 1000,
    } = this.#options;
    const nowMs = system.clock.monotonicMs();
    const everyMs = what === 'house' ? houseEveryMs : neighboursEveryMs;
    const dueMs = nowMs + Math.max(debounceMs, this.#toldMs + everyMs - nowMs);
    if (this.#pending !== 'house') this.#pending = what;
    // Not put off by what follows, so that a steady trickle is told, too.
    if (this.#cancel && this.#dueMs <= dueMs) return;
    this.#cancel?.();
    this.#dueMs = dueMs;
    this.#cancel = system.timers.after(dueMs - nowMs, () => this.#tell());
  }

  #tell(): void {
    const what = this.#pending;
    this.#cancel = null;
    this.#pending = null;
    if (!what) return;
    this.#toldMs = this.#options.system.clock.monotonicMs();
    this.#options.onChange(what);
  }
}
