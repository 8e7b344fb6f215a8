// Our nftables table as loaded, and whether it still stands so: others flush rulesets and edit chains.
import type { PassageCounts } from '../../core/delivery/passage.ts';
import { TABLE } from '../../core/plan/names.ts';
import { countersOf } from '../../core/plan/nft/nft-passage.ts';
import { countedIn, updateTable, withoutCounts } from '../../core/plan/nft/nft-text.ts';
import type { System } from '../system/system.ts';
import { TableWatch } from '../system/table-watch.ts';
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

/** Keeps one table. */
export class Rules {
  readonly #system: System;
  readonly #watch: TableWatch;
  readonly #sets: readonly string[];
  #text = '';
  #listing = '';
  /** What was listed last. */
  #seen = '';

  /**
   * @param sets those whose elements stand in the text.
   * @param onLost called at once when the table is deleted, by us to make it again or by someone else.
   */
  constructor(system: System, sets: readonly string[], onLost: () => void) {
    this.#system = system;
    this.#sets = sets;
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
    await loadNft(this.#system, (known ? updateTable(TABLE, text, this.#sets) : text) + more);
    this.#text = text;
    this.#listing = withoutCounts(await loadNft(this.#system, LIST));
    this.#watch.start();
    return true;
  }

  /** Whether there is anything to put back. */
  get areLoaded(): boolean {
    return this.#text !== '';
  }

  /** Whether the table stands as loaded, but for what is counted and who is alive; runs `more` in the same breath. */
  async isIntact(more = ''): Promise<boolean> {
    if (this.#listing === '') return false;
    try {
      this.#seen = await loadNft(this.#system, more + LIST);
      this.#watch.noteRenewed(more.match(/^delete .*/m)?.[0].split(',').length ?? 0);
      return withoutCounts(this.#seen) === this.#listing;
    } catch {
      return false;
    }
  }

  /** What one of the table's sets held when it was last looked at. */
  learned(set: string): string[] {
    return listedElements(this.#seen, set);
  }

  /** Packets that one of the table's counters had counted when it was last looked at. */
  counted(counter: string): number {
    return countedIn(this.#seen, counter);
  }

  /** What the counters of these passages had counted when they were last looked at. */
  passages<Name extends string>(names: readonly Name[]): PassageCounts<Name> {
    const read = names.map((name) => {
      const { entered, left } = countersOf(name);
      return [name, { entered: this.counted(entered), left: this.counted(left) }];
    });
    return Object.fromEntries(read) as PassageCounts<Name>;
  }

  /** Packets that each element of a counting set had counted when it was last looked at. */
  countedBy(set: string): Map<string, number> {
    const body =
      new RegExp(`\\tset ${set} \\{[\\s\\S]*?elements = \\{([^}]*)\\}`).exec(this.#seen)?.[1] ?? '';
    const elements = body.matchAll(/([\d.]+) counter packets (\d+)/g);
    return new Map([...elements].map(([, element, packets]) => [element!, Number(packets)]));
  }

  /** Loads what was loaded last again. */
  async restore(more = ''): Promise<void> {
    if (this.#text !== '') await this.apply(this.#text, more, true);
  }

  /** Forgets what was loaded; the table stays unless it is to go. */
  async release(remove: boolean): Promise<void> {
    this.#text = '';
    this.#listing = '';
    await this.#watch.stop();
    if (remove) await deleteTable(this.#system, TABLE);
  }
}
