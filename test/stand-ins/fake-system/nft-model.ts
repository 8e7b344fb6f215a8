// nftables of the stand-in machine: tables with their chains, sets and counters, changed by transactions.

import { compileRule } from './nft-rule.ts';
import {
  type Block,
  canonicalRule,
  type NftCommand,
  NotUnderstood,
  printDuration,
  printPriority,
  readDuration,
  readElements,
  readNft,
  readPriority,
} from './nft-text.ts';
import type { VirtualTime } from './virtual-time.ts';

interface Element {
  value: string | null;
  timeoutMs: number | null;
  /** Infinity for one that stays. */
  untilMs: number;
}

export interface NftSet {
  kind: 'set' | 'map';
  /** What it is, one statement a line. */
  head: readonly string[];
  defaultTimeoutMs: number | null;
  elements: Map<string, Element>;
}

export interface NftChain {
  /** Null for one that is only jumped to. */
  base: {
    type: string;
    hook: string;
    /** Of whose hook; null where it is nobody's. */
    device: string | null;
    priority: number;
    policy: string;
  } | null;
  rules: readonly string[];
}

export interface NftTable {
  counters: Map<string, { packets: number; bytes: number }>;
  sets: Map<string, NftSet>;
  chains: Map<string, NftChain>;
  /** Somebody else than the program changed it since the program filled it. */
  isTampered: boolean;
}

/** What nft says when it refuses a transaction. */
export class NftRefusal extends Error {
  override name = 'NftRefusal';
}

const refuse = (what: string): never => {
  throw new NftRefusal(`/dev/stdin:1:1-1: Error: ${what}`);
};

/** What a monitor prints of a table's rules when they go: a line each. */
function deletions(name: string, { chains }: NftTable): string[] {
  return [...chains].flatMap(([chain, { rules }]) =>
    rules.map((_, index) => `delete rule ${name} ${chain} handle ${index + 1}`),
  );
}

/** The ruleset of one network namespace. */
export class NftModel {
  tables = new Map<string, NftTable>();
  /** Goes up with every change but the passing of time. */
  version = 0;
  /** Whether the kernel has tables of the family netdev. */
  hasNetdevTables = true;
  /** Told what `nft monitor rules` prints of those that go. */
  readonly monitors = new Set<(line: string) => void>();
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /**
   * Runs one text as one transaction and returns what its lists print.
   *
   * @param isForeign somebody else than the program does it.
   * @throws {NftRefusal} and changes nothing; {NotUnderstood} for what this model can't read.
   */
  load(text: string, isForeign = false): string {
    const commands = readNft(text);
    const before = this.tables;
    const isQuestion = commands.every(({ kind }) => kind === 'list' || kind === 'list netdev');
    // Who looks at tables between two changes looks at these.
    if (!isQuestion) this.tables = new Map([...before].map(([name, table]) => [name, copy(table)]));
    const events: string[] = [];
    let printed = '';
    try {
      for (const command of commands) {
        if (command.kind === 'list') printed += this.list(command.table);
        else if (command.kind === 'list netdev') printed += this.#listNetdevTables();
        else this.#apply(command, events, isForeign);
      }
      if (!isQuestion) this.#check();
    } catch (error) {
      this.tables = before;
      throw error;
    }
    if (!isQuestion) this.version++;
    for (const line of events) for (const monitor of this.monitors) monitor(line);
    return printed;
  }

  /** As `nft -c`: what a text would print, and changes nothing. */
  check(text: string): string {
    const { tables, version } = this;
    const monitors = [...this.monitors];
    this.monitors.clear();
    try {
      return this.load(text);
    } finally {
      this.tables = tables;
      this.version = version;
      for (const monitor of monitors) this.monitors.add(monitor);
    }
  }

  /** Puts a rule of somebody else at the head of a chain. */
  insertRule(table: string, chain: string, rule: string): void {
    const found = this.tables.get(table);
    const known = found?.chains.get(chain);
    if (!found || !known) return;
    compileRule(rule);
    found.chains.set(chain, { ...known, rules: [canonicalRule(rule), ...known.rules] });
    found.isTampered = true;
    this.version++;
  }

  /** Another one whenever a rule may judge a packet otherwise. */
  get stamp(): string {
    const nowMs = this.#time.nowMs;
    let alive = 0;
    for (const { sets } of this.tables.values()) {
      for (const { elements } of sets.values()) {
        for (const { untilMs } of elements.values()) if (untilMs > nowMs) alive++;
      }
    }
    return `${this.version} ${alive}`;
  }

  /** Whether a set has an element whose time is not over. */
  has(set: NftSet, key: string): boolean {
    return (set.elements.get(key)?.untilMs ?? 0) > this.#time.nowMs;
  }

  /** Elements of a set whose time is not over. */
  elements(set: NftSet): string[] {
    const nowMs = this.#time.nowMs;
    return [...set.elements].filter(([, { untilMs }]) => untilMs > nowMs).map(([key]) => key);
  }

  /** Adds one, or renews its time, as a rule's `update` does. */
  update(set: NftSet, key: string): void {
    const timeoutMs = set.defaultTimeoutMs;
    const untilMs = this.#time.nowMs + (timeoutMs ?? Infinity);
    set.elements.set(key, { value: null, timeoutMs, untilMs });
  }

  /** As `nft list table` prints it. */
  list(name: string): string {
    const table = this.tables.get(name) ?? refuse('No such file or directory');
    const blocks = [
      ...[...table.counters].map(([counter, { packets, bytes }]) =>
        printBlock(`counter ${counter}`, [`packets ${packets} bytes ${bytes}`]),
      ),
      ...[...table.sets].map(([set, value]) =>
        printBlock(`${value.kind} ${set}`, [...value.head, ...this.#printElements(value)]),
      ),
      ...[...table.chains].map(([chain, value]) => printBlock(`chain ${chain}`, printChain(value))),
    ];
    return `table ${name} {\n${blocks.join('\n')}}\n`;
  }

  #listNetdevTables(): string {
    const names = [...this.tables.keys()].filter((name) => name.startsWith('netdev '));
    return names.map((name) => this.list(name)).join('\n');
  }

  /** A netdev is gone, and with it the chains that stood at its hooks. */
  forgetNetdev(netdev: string): void {
    for (const { chains } of this.tables.values()) {
      for (const [name, { base }] of chains) if (base?.device === netdev) chains.delete(name);
    }
    this.version++;
  }

  /** As `nft list ruleset` prints it. */
  print(): string {
    return [...this.tables.keys()].map((name) => this.list(name)).join('\n');
  }

  #printElements(set: NftSet): string[] {
    const nowMs = this.#time.nowMs;
    const quote = set.head.includes('type ifname') ? '"' : '';
    const printed = this.elements(set).map((key) => {
      const { value, timeoutMs, untilMs } = set.elements.get(key)!;
      const own = timeoutMs === null || timeoutMs === set.defaultTimeoutMs;
      const timeout = own ? '' : ` timeout ${printDuration(timeoutMs!)}`;
      const left = untilMs === Infinity ? '' : ` expires ${printDuration(untilMs - nowMs)}`;
      const leads = value === null ? '' : ` : ${value}`;
      return `${quote}${key}${quote}${timeout}${left}${leads}`;
    });
    return printed.length === 0 ? [] : [`elements = { ${printed.join(',\n\t\t\t     ')} }`];
  }

  #apply(
    command: Exclude<NftCommand, { kind: 'list netdev' }>,
    events: string[],
    isForeign: boolean,
  ): void {
    if (command.kind === 'flush ruleset') {
      for (const [name, table] of this.tables) events.push(...deletions(name, table));
      this.tables.clear();
      return;
    }
    const { table: name } = command;
    if (command.kind === 'declare' || command.kind === 'define') {
      if (name.startsWith('netdev ') && !this.hasNetdevTables) {
        refuse('Could not process rule: Operation not supported');
      }
      const table = this.tables.get(name) ?? emptyTable();
      this.tables.set(name, table);
      if (command.kind === 'define') this.#define(table, command.blocks);
      if (isForeign) table.isTampered = true;
      return;
    }
    const missing = `Could not process rule: No such file or directory (${name})`;
    const table = this.tables.get(name) ?? refuse(missing);
    if (command.kind === 'delete') {
      this.tables.delete(name);
      events.push(...deletions(name, table));
    } else if (command.kind === 'flush') {
      events.push(...deletions(name, table));
      for (const [chain, known] of table.chains) table.chains.set(chain, { ...known, rules: [] });
      table.isTampered = isForeign;
    } else if (command.kind !== 'list') {
      const set =
        table.sets.get(command.set) ?? refuse(`No such file or directory (${command.set})`);
      if (command.kind === 'flush set') set.elements.clear();
      else if (command.kind === 'add') this.#add(set, command.elements);
      else this.#drop(set, command.elements);
    }
  }

  #define(table: NftTable, blocks: readonly Block[]): void {
    for (const { kind, name, lines } of blocks) {
      if (kind === 'counter') {
        if (!table.counters.has(name)) table.counters.set(name, { packets: 0, bytes: 0 });
      } else if (kind === 'chain') {
        const [head = '', ...rules] = lines;
        const base = readBase(head);
        const known = table.chains.get(name);
        const added = (base ? rules : lines).map(canonicalRule);
        table.chains.set(name, {
          base: base ?? known?.base ?? null,
          rules: [...(known?.rules ?? []), ...added],
        });
      } else {
        const elements = lines.find((line) => line.startsWith('elements = {'));
        const head = lines.filter((line) => line !== elements);
        const timeout = head.find((line) => line.startsWith('timeout '))?.slice('timeout '.length);
        const set = table.sets.get(name) ?? {
          kind,
          head,
          defaultTimeoutMs: timeout === undefined ? null : readDuration(timeout),
          elements: new Map(),
        };
        table.sets.set(name, set);
        if (elements) this.#add(set, readElements(elements.slice('elements = {'.length, -1)));
      }
    }
  }

  /** One that is there already keeps the time it has: so do kernels before 6.12. */
  #add(set: NftSet, elements: ReturnType<typeof readElements>): void {
    const there = new Set(this.elements(set));
    for (const { key, value, timeoutMs: own } of elements) {
      if (there.has(key)) continue;
      const timeoutMs = own ?? set.defaultTimeoutMs;
      const untilMs = this.#time.nowMs + (timeoutMs ?? Number.POSITIVE_INFINITY);
      set.elements.set(key, { value, timeoutMs, untilMs });
    }
  }

  #drop(set: NftSet, elements: ReturnType<typeof readElements>): void {
    const there = new Set(this.elements(set));
    for (const { key } of elements) {
      if (!there.has(key)) refuse('Could not process rule: No such file or directory');
      set.elements.delete(key);
    }
  }

  /** What a rule names has to be there. */
  #check(): void {
    for (const { chains, counters, sets } of this.tables.values()) {
      for (const rule of [...chains.values()].flatMap(({ rules }) => rules)) {
        const needs = compileRule(rule).needs;
        const lacks =
          needs.chains.find((name) => !chains.has(name)) ??
          needs.counters.find((name) => !counters.has(name)) ??
          needs.sets.find((name) => !sets.has(name));
        if (lacks !== undefined) refuse(`No such file or directory (${lacks}) in: ${rule}`);
      }
    }
  }
}

function emptyTable(): NftTable {
  return { counters: new Map(), sets: new Map(), chains: new Map(), isTampered: false };
}

function copy(table: NftTable): NftTable {
  const { counters, sets, chains, isTampered } = table;
  return {
    counters: new Map([...counters].map(([name, count]) => [name, { ...count }])),
    sets: new Map(
      [...sets].map(([name, set]) => [name, { ...set, elements: new Map(set.elements) }]),
    ),
    chains: new Map(chains),
    isTampered,
  };
}

function readBase(line: string): NftChain['base'] {
  if (!line.startsWith('type ')) return null;
  const pattern = /^type (\w+) hook (\w+)(?: device "([\w.-]+)")? priority ([^;]+); policy (\w+);$/;
  const parts = pattern.exec(line);
  if (!parts) throw new NotUnderstood(`nft: ${line}`);
  const [, type = '', hook = '', device = null, priority = '', policy = ''] = parts;
  return { type, hook, device, priority: readPriority(priority), policy };
}

function printChain({ base, rules }: NftChain): string[] {
  if (!base) return [...rules];
  const { type, hook, device, priority, policy } = base;
  const of = device === null ? '' : ` device "${device}"`;
  const head = `type ${type} hook ${hook}${of} priority ${printPriority(priority)}; policy ${policy};`;
  return [head, ...rules];
}

function printBlock(head: string, lines: readonly string[]): string {
  return [`\t${head} {`, ...lines.map((line) => `\t\t${line}`), '\t}', ''].join('\n');
}
