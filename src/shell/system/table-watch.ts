// Tells at once when rules of our nftables tables are deleted, as `nft monitor` prints it.
import { TABLE } from '../../core/plan/names.ts';
import { CLOCK_TABLE } from '../../core/plan/outer-clock.ts';
import { SupervisedChild } from './child.ts';
import type { Cancel, System } from './system.ts';

/**
 * nft 1.0.6 keeps 344 bytes of each element that is renewed, whatever it was asked to tell: one monitor grows by less than 100 kB,
 * and after some minutes another takes its place.
 */
const RENEWALS_EACH = 250;
/** Some 22 kB. */
const RENEWALS_A_TABLE = 64;
/** The old one goes on until the new one hears for sure; what both tell is told twice. */
const OVERLAP_MS = 3000;

/** Which rules went: those about devices, or the chains that lead to the clock behind OpenVPN. */
export type LostRules = 'rules-lost' | 'clock-touched';

const TABLES: readonly (readonly [string, LostRules])[] = [
  [`inet ${TABLE}`, 'rules-lost'],
  [CLOCK_TABLE, 'clock-touched'],
];

export interface TableWatchOptions {
  system: System;
  /** By whomever, us as well, and a line for each: who hears of it looks what stands. */
  onLost: (what: LostRules) => void;
  /** See {@link RENEWALS_EACH}. */
  renewalsEach?: number;
}

/** Watches from {@link TableWatch.start} to {@link TableWatch.stop}. */
export class TableWatch {
  readonly #options: TableWatchOptions;
  #monitor: SupervisedChild;
  /** The one before. */
  #old: SupervisedChild | null = null;
  #cancelOld: Cancel = () => {};
  #renewed = 0;
  #isOn = false;

  constructor(options: TableWatchOptions) {
    this.#options = options;
    this.#monitor = this.#createMonitor();
  }

  start(): void {
    this.#isOn = true;
    this.#monitor.start();
  }

  /** A table was loaded: of the rules that come and go nft keeps as much as of so many elements. */
  noteLoaded(): void {
    this.noteRenewed(RENEWALS_A_TABLE);
  }

  /** So many elements of the table's sets were renewed. */
  noteRenewed(elements: number): void {
    this.#renewed += elements;
    if (!this.#isOn || this.#old || this.#renewed < (this.#options.renewalsEach ?? RENEWALS_EACH))
      return;
    this.#renewed = 0;
    const old = this.#monitor;
    this.#old = old;
    this.#monitor = this.#createMonitor();
    this.#monitor.start();
    this.#cancelOld = this.#options.system.timers.after(OVERLAP_MS, () => {
      this.#old = null;
      void old.stop();
    });
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    this.#cancelOld();
    const old = this.#old;
    this.#old = null;
    await Promise.all([old?.stop(), this.#monitor.stop()]);
  }

  #createMonitor(): SupervisedChild {
    const { system, onLost } = this.#options;
    return new SupervisedChild({
      system,
      // What is added as well: "destroy" is a command of nft's since 1.0.7, which takes it nowhere else any more.
      argv: () => ['nft', 'monitor', 'rules'],
      onLine: (line) => {
        for (const [table, what] of TABLES)
          if (line.startsWith(`delete rule ${table} `)) onLost(what);
      },
    });
  }
}
