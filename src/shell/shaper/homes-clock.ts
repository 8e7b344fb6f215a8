// The clock behind an endpoint's OpenVPN: made, changed, looked at and taken away; and where homes are, by which it tells them.
import type { PlacedHome } from '../../core/endpoint/machine/clock-state.ts';
import type { Outcomes, Work } from '../../core/endpoint/machine/events.ts';
import { notice } from '../../core/endpoint/notice.ts';
import type { Notice } from '../../core/notices/notice.ts';
import { noticeOfError } from '../../core/notices/notice-error.ts';
import { planClockChange, planHomesClock } from '../../core/plan/homes-clock.ts';
import { HomePlaces } from '../openvpn/home-places.ts';
import type { OpenVpn } from '../openvpn/openvpn.ts';
import type { System } from '../system/system.ts';
import { OuterClock } from './outer-clock.ts';

/** One an endpoint. */
export class ClockOfHomes {
  readonly #clock: OuterClock;
  readonly #places: HomePlaces;
  readonly #uid: number;

  constructor(system: System, openvpn: Pick<OpenVpn, 'clients'>) {
    this.#clock = new OuterClock(system, 'endpoint');
    this.#uid = system.processes.uid;
    this.#places = new HomePlaces(system, openvpn);
  }

  readPlaces(): Promise<PlacedHome[] | null> {
    return this.#places.read();
  }

  /** Routes or netdevs may be others. */
  forgetWays(): void {
    this.#places.forget();
  }

  readChains(): Promise<Outcomes['chains']> {
    return this.#clock.readChains();
  }

  /**
   * Does what was asked for. One that can't be made is done without, whatever the reason.
   *
   * @throws {CommandError} when one that stands can't be changed.
   */
  async apply(work: Extract<Work, { part: 'clock' }>): Promise<Notice | null> {
    const { clock, rebuild } = work;
    if (!rebuild) {
      if (clock) await this.#clock.change(planClockChange(clock, work, this.#uid));
      return null;
    }
    try {
      return await this.#clock.place(clock && planHomesClock(clock, this.#uid));
    } catch (error) {
      await this.#clock.remove();
      return notice('endpoint-clock-failed', { why: noticeOfError(error) });
    }
  }

  remove(): Promise<void> {
    return this.#clock.remove();
  }
}
