// Our nftables table as loaded, and whether it still stands so: others flush rulesets and edit chains.
import type { PassageCounts } from '../../core/delivery/passage.ts';
import type { ByteCount, ElementType, SetElement } from '../../core/netlink/nft-messages.ts';
import { TABLE } from '../../core/plan/names.ts';
import { aliveElements } from '../../core/plan/nft/nft-alive.ts';
import { countersOf } from '../../core/plan/nft/nft-passage.ts';
import { countedIn, updateTable, withoutCounts } from '../../core/plan/nft/nft-text.ts';
import type { System } from '../system/system.ts';
import { TableWatch, type TableWatchOptions } from '../system/table-watch.ts';
import { type Glance, NftSocket } from './kernel/nft-socket.ts';
import { deleteTable, loadNft } from './nft.ts';

const LIST = `list table inet ${TABLE}\n`;

/** Elements of a set in a listing, without their times. */
function listedElements(listing: string, set: string): string[] {
  const body =
    new RegExp(`\\tset ${set} \\{[^{}]*?elements = \\{([^}]*)\\}`).exec(listing)?.[1] ?? '';
  return body
    .split(',')
    .map((element) => element.trim().split(/\s/)[0]!)
    .filter((element) => element !== '');
}

/** The whole table is listed so often even where nothing was changed. */
const WHOLE_EVERY_MS = 60_000;

export interface RulesOptions {
  system: System;
  /** Sets whose elements stand in the text, and those that are asked for: {@link Rules.learned}, {@link Rules.countedBy}. */
  sets: { text: readonly string[]; read: Readonly<Record<string, ElementType>> };
  /** Called at once when rules are deleted, by us to make them again or by someone else. */
  onLost: TableWatchOptions['onLost'];
}

/** Keeps one table. */
export class Rules {
  readonly #options: RulesOptions;
  readonly #system: System;
  readonly #watch: TableWatch;
  readonly #socket: NftSocket;
  #text = '';
  #listing = '';
  /** What was seen last: by a listing of all, or since then by counters and sets alone. */
  #seen = '';
  #glance: Glance | null = null;
  /** Of all rules of this machine, when the table was last seen to stand; null where that is not known. */
  #generation: number | null = null;
  #listedMs = Number.NEGATIVE_INFINITY;

  constructor(options: RulesOptions) {
    const { system, onLost } = options;
    this.#options = options;
    this.#system = system;
    this.#socket = new NftSocket(system);
    this.#watch = new TableWatch({ system, onLost });
  }

  /**
   * Loads the table unless it is loaded already, as one transaction. One that was loaded before keeps its place among
   * other programs' chains, its counters, and what its sets have learned.
   *
   * @param more commands that belong into the same transaction.
   * @param again make it in any case.
   * @returns whether it was loaded.
   */
  async apply(text: string, more = '', again = false): Promise<boolean> {
    if (text === this.#text && !again) return false;
    const known = this.#text !== '' && !again;
    await loadNft(
      this.#system,
      (known ? updateTable(TABLE, text, this.#options.sets.text) : text) + more,
    );
    this.#text = text;
    this.#listing = withoutCounts(await loadNft(this.#system, LIST));
    this.#generation = null;
    this.#socket.open();
    this.#watch.start();
    this.#watch.noteLoaded();
    return true;
  }

  /** Whether there is anything to put back. */
  get areLoaded(): boolean {
    return this.#text !== '';
  }

  /** Whether the table stands as loaded, but for what is counted and who is alive; runs `more` in the same breath. */
  async isIntact(more = ''): Promise<boolean> {
    if (this.#listing === '') return false;
    const alive = aliveElements(more);
    if (await this.#isUntouched(alive)) return true;
    const before = await this.#socket.generation();
    try {
      this.#seen = await loadNft(this.#system, more + LIST);
    } catch {
      return false;
    }
    this.#glance = null;
    this.#watch.noteRenewed(alive.length);
    if (withoutCounts(this.#seen) !== this.#listing) return false;
    this.#listedMs = this.#system.clock.monotonicMs();
    const after = await this.#socket.generation();
    const own = more === '' ? 0 : 1;
    this.#generation = before !== null && after === before + own ? after : null;
    return true;
  }

  /** Whether nobody has changed any rule since the table was seen to stand. Where that is not sure, it has to be listed. */
  async #isUntouched(alive: readonly string[]): Promise<boolean> {
    const isOld = this.#system.clock.monotonicMs() - this.#listedMs >= WHOLE_EVERY_MS;
    if (this.#generation === null || isOld) return false;
    const glance = await this.#socket.glance(alive, this.#options.sets.read);
    const generation = this.#generation + (alive.length > 0 ? 1 : 0);
    this.#generation = glance?.generation === generation ? generation : null;
    if (glance === null || this.#generation === null) return false;
    this.#watch.noteRenewed(alive.length);
    this.#glance = glance;
    return true;
  }

  /** What one of the table's sets held when it was last looked at. */
  learned(set: string): string[] {
    const elements = this.#glance?.sets.get(set);
    return elements ? elements.map(({ value }) => value) : listedElements(this.#seen, set);
  }

  /** Packets that one of the table's counters had counted when it was last looked at. */
  counted(counter: string): number {
    return this.#glance
      ? (this.#glance.counters.get(counter) ?? 0)
      : countedIn(this.#seen, counter);
  }

  /** What the counters of these passages had counted when they were last looked at. */
  passages<Name extends string>(names: readonly Name[]): PassageCounts<Name> {
    const read = names.map((name) => {
      const { entered, left } = countersOf(name);
      return [name, { entered: this.counted(entered), left: this.counted(left) }];
    });
    return Object.fromEntries(read) as PassageCounts<Name>;
  }

  /** What each element of counting sets had counted, in all of them together, when they were last looked at. */
  countedBy(...sets: readonly string[]): Map<string, ByteCount> {
    const sums = new Map<string, ByteCount>();
    for (const { value, packets, bytes } of sets.flatMap((set) => this.#countedIn(set))) {
      const sum = sums.get(value) ?? { packets: 0, bytes: 0 };
      sums.set(value, { packets: sum.packets + packets, bytes: sum.bytes + bytes });
    }
    return sums;
  }

  #countedIn(set: string): readonly SetElement[] {
    const known = this.#glance?.sets.get(set);
    if (known) return known;
    const body =
      new RegExp(`\\tset ${set} \\{[\\s\\S]*?elements = \\{([^}]*)\\}`).exec(this.#seen)?.[1] ?? '';
    const elements = body.matchAll(/([\d.]+) counter packets (\d+) bytes (\d+)/g);
    return [...elements].map(([, value = '', packets, bytes]) => ({
      ...{ value, packets: Number(packets), bytes: Number(bytes) },
    }));
  }

  /** Loads what was loaded last again. */
  async restore(more = ''): Promise<void> {
    if (this.#text !== '') await this.apply(this.#text, more, true);
  }

  /** Forgets what was loaded; the table stays unless it is to go. */
  async release(remove: boolean): Promise<void> {
    this.#text = '';
    this.#listing = '';
    this.#generation = null;
    this.#glance = null;
    this.#socket.close();
    await this.#watch.stop();
    if (remove) await deleteTable(this.#system, TABLE);
  }
}
