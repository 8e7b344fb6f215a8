// The clock behind OpenVPN, made from the plan's text and taken away.
import { type Notice, notice } from '../../core/notices/notice.ts';
import { CLOCK_END_NETDEV, CLOCK_NETDEV } from '../../core/plan/names.ts';
import { countedIn, withoutCounts } from '../../core/plan/nft/nft-text.ts';
import {
  type ClockChains,
  type ClockedWay,
  clockTableIn,
  LED_COUNTER,
  LIST_CLOCK_CHAINS,
  renderClock,
  renderClockChains,
  renderNoClockChains,
} from '../../core/plan/outer-clock.ts';
import type { Shape } from '../../core/stream/stream.ts';
import { netdevExists, writeSysctl } from '../network/netdev.ts';
import { loadNft } from '../network/nft.ts';
import { changeQueue } from '../network/queue.ts';
import { CommandError } from '../system/command.ts';
import type { System } from '../system/system.ts';

type Door = Pick<System, 'processes' | 'files'>;

/** What is to stand; `way` null for nothing. */
export interface ClockWish {
  way: ClockedWay | null;
  minor: number;
  shape: Shape;
  standing: number;
}

/** Keeps one. */
export class OuterClock {
  readonly #system: Door;
  /** Its chains as listed once they were made; '' where there are none. */
  #listing = '';

  constructor(system: Door) {
    this.#system = system;
  }

  /** Whether its chains stand as they were made, and how many packets they have led to it; null where there is none. */
  async readChains(): Promise<ClockChains | null> {
    if (this.#listing === '') return null;
    const listed = clockTableIn(await loadNft(this.#system, LIST_CLOCK_CHAINS));
    const intact = withoutCounts(listed) === this.#listing;
    return { intact, ledPackets: intact ? countedIn(listed, LED_COUNTER) : 0 };
  }

  /**
   * Puts the clock on a way, in the place of whatever there is of it; takes that away alone where there is to be none.
   *
   * @returns why it can't stand there; nothing is left of it then.
   */
  async place(wish: ClockWish): Promise<Notice | null> {
    await this.remove();
    if (!wish.way) return null;
    const refused = await this.#make(wish, wish.way);
    if (refused) await this.remove();
    return refused;
  }

  async #make({ minor, shape, standing }: ClockWish, way: ClockedWay): Promise<Notice | null> {
    const system = this.#system;
    const { processes } = system;
    const pair = [CLOCK_NETDEV, 'type', 'veth', 'peer', 'name', CLOCK_END_NETDEV];
    try {
      await processes.run(['ip', 'link', 'add', ...pair]);
    } catch (error) {
      if (isMissing(error)) return notice('outer-clock-no-pair');
      throw error;
    }
    for (const netdev of [CLOCK_NETDEV, CLOCK_END_NETDEV]) {
      // What it would say of its own accord takes slots.
      await writeSysctl(system, `net/ipv6/conf/${netdev}/disable_ipv6`, '1');
      await processes.run(['ip', 'link', 'set', 'dev', netdev, 'arp', 'off', 'up']);
    }
    await changeQueue(system, renderClock(minor, standing, shape));
    try {
      await loadNft(system, renderClockChains(way));
      this.#listing = withoutCounts(clockTableIn(await loadNft(system, LIST_CLOCK_CHAINS)));
      return null;
    } catch (error) {
      if (isMissing(error)) return notice('outer-clock-no-chain', { error: firstLine(error) });
      throw error;
    }
  }

  /** Takes away what there is of it, whoever made it: the chains first, which lead to nowhere else. */
  async remove(): Promise<void> {
    this.#listing = '';
    try {
      await loadNft(this.#system, renderNoClockChains());
    } catch (error) {
      // A kernel without such tables has none of ours.
      if (!isMissing(error)) throw error;
    }
    if (!netdevExists(this.#system, CLOCK_NETDEV)) return;
    await this.#system.processes.run(['ip', 'link', 'del', CLOCK_NETDEV]);
  }
}

/** What `ip` and `nft` answer where the kernel has no such part. */
const MISSING = /unknown|not supported|no such file/i;

function isMissing(error: unknown): error is CommandError {
  return error instanceof CommandError && MISSING.test(error.stderr);
}

function firstLine({ stderr }: CommandError): string {
  return stderr.trim().split('\n')[0] ?? '';
}
