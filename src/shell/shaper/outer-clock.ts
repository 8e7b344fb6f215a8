// The clock behind OpenVPN, made from the plan's text and taken away.
import { type Notice, notice } from '../../core/notices/notice.ts';
import { CLOCK_END_NETDEV, CLOCK_NETDEV } from '../../core/plan/names.ts';
import { countedIn, withoutCounts } from '../../core/plan/nft/nft-text.ts';
import {
  type ClockChains,
  clockTableIn,
  LED_COUNTER,
  LIST_CLOCK_CHAINS,
  type PlannedClock,
  renderNoClockChains,
} from '../../core/plan/outer-clock.ts';
import { netdevExists, writeSysctl } from '../network/netdev.ts';
import { loadNft } from '../network/nft.ts';
import { changeQueue } from '../network/queue.ts';
import { CommandError, succeeds } from '../system/command.ts';
import type { System } from '../system/system.ts';

type Door = Pick<System, 'processes' | 'files'>;

/** What is told where a kernel has no part for it: which program gets it differs. */
const LACKS = {
  home: { pair: 'outer-clock-no-pair', chain: 'outer-clock-no-chain' },
  endpoint: { pair: 'endpoint-clock-no-pair', chain: 'endpoint-clock-no-chain' },
} as const;

/** What is to be different about one that stands. */
export interface ClockChange {
  /** Lines of tc: those that take away, of which each may fail, and those that make. */
  gone: readonly string[];
  come: readonly string[];
  /** Commands of nft. */
  rules: string;
}

/** Keeps one. */
export class OuterClock {
  readonly #system: Door;
  readonly #role: keyof typeof LACKS;
  /** Its chains as listed once they were made; '' where there are none. */
  #listing = '';

  constructor(system: Door, role: keyof typeof LACKS) {
    this.#system = system;
    this.#role = role;
  }

  /** Whether its chains stand as they were made, and how many packets they have led to it; null where there is none. */
  async readChains(): Promise<ClockChains | null> {
    if (this.#listing === '') return null;
    const listed = clockTableIn(await loadNft(this.#system, LIST_CLOCK_CHAINS));
    const intact = withoutCounts(listed) === this.#listing;
    return { intact, ledPackets: intact ? countedIn(listed, LED_COUNTER) : 0 };
  }

  /**
   * Puts the clock in the place of whatever there is of it; takes that away alone where there is to be none.
   *
   * @returns why it can't stand there; nothing is left of it then.
   */
  async place(planned: PlannedClock | null): Promise<Notice | null> {
    await this.remove();
    if (!planned) return null;
    const refused = await this.#make(planned);
    if (refused) await this.remove();
    return refused;
  }

  /** Changes one that stands; what is not named goes on. */
  async change({ gone, come, rules }: ClockChange): Promise<void> {
    const system = this.#system;
    if (gone.length > 0) {
      const input = `${gone.join('\n')}\n`;
      await succeeds(system, ['tc', '-force', '-batch', '-'], { input });
    }
    await changeQueue(system, come);
    if (rules !== '') await this.#load(rules);
  }

  async #load(rules: string): Promise<void> {
    await loadNft(this.#system, rules);
    this.#listing = withoutCounts(clockTableIn(await loadNft(this.#system, LIST_CLOCK_CHAINS)));
  }

  async #make({ queue, chains }: PlannedClock): Promise<Notice | null> {
    const system = this.#system;
    const lacks = LACKS[this.#role];
    const { processes } = system;
    const pair = [CLOCK_NETDEV, 'type', 'veth', 'peer', 'name', CLOCK_END_NETDEV];
    try {
      await processes.run(['ip', 'link', 'add', ...pair]);
    } catch (error) {
      if (isMissing(error)) return notice(lacks.pair);
      throw error;
    }
    for (const netdev of [CLOCK_NETDEV, CLOCK_END_NETDEV]) {
      // What it would say of its own accord takes slots.
      await writeSysctl(system, `net/ipv6/conf/${netdev}/disable_ipv6`, '1');
      await processes.run(['ip', 'link', 'set', 'dev', netdev, 'arp', 'off', 'up']);
    }
    await changeQueue(system, queue);
    try {
      await this.#load(chains);
      return null;
    } catch (error) {
      if (isMissing(error)) return notice(lacks.chain, { error: firstLine(error) });
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
