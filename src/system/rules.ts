// Our nftables table as loaded, and whether it still stands so: others flush rulesets and edit chains.
import { TABLE } from '../plan/names.ts';
import { SupervisedChild } from './child.ts';
import { deleteTable, loadNft } from './nft.ts';

const LIST = `list table inet ${TABLE}\n`;

/** A listing without what changes by itself: counters, and the set whose elements time out. */
function withoutCounts(listing: string): string {
  return listing
    .replace(/packets \d+ bytes \d+/g, 'packets bytes')
    .replace(/\tset alive \{[\s\S]*?\n\t\}\n/, '');
}

/** Keeps one table. */
export class Rules {
  readonly #monitor: SupervisedChild;
  #text = '';
  #listing = '';

  /** @param onLost called at once when the table is deleted, by us to replace it or by someone else. */
  constructor(onLost: () => void) {
    this.#monitor = new SupervisedChild({
      argv: () => ['nft', 'monitor', 'destroy', 'tables'],
      onLine: (line) => {
        if (line.startsWith(`delete table inet ${TABLE}`)) onLost();
      },
    });
  }

  /**
   * Loads the table unless it is loaded already, as one transaction.
   *
   * @param more commands that belong into the same transaction.
   * @param again load it in any case.
   * @returns whether it was loaded.
   */
  async apply(text: string, more = '', again = false): Promise<boolean> {
    if (text === this.#text && !again) return false;
    await loadNft(text + more);
    this.#text = text;
    this.#listing = withoutCounts(await loadNft(LIST));
    this.#monitor.start();
    return true;
  }

  /** Whether the table stands as loaded, but for what is counted and who is alive; runs `more` in the same breath. */
  async stand(more = ''): Promise<boolean> {
    if (this.#listing === '') return false;
    try {
      return withoutCounts(await loadNft(more + LIST)) === this.#listing;
    } catch {
      return false;
    }
  }

  /** Loads what was loaded last again. */
  async restore(more = ''): Promise<void> {
    if (this.#text !== '') await this.apply(this.#text, more, true);
  }

  /** Forgets what was loaded; the table stays unless it is to go. */
  async release(remove: boolean): Promise<void> {
    this.#text = '';
    this.#listing = '';
    await this.#monitor.stop();
    if (remove) await deleteTable(TABLE);
  }
}
