// What a home has sent and received, second by second, in all and by device.
import { TUNNEL_OVERHEAD_BYTES } from '../../core/cost/cost.ts';
import type { QueueCounters } from '../../core/framing/queues.ts';
import { AddressMeter } from '../../core/home/address-meter.ts';
import type { HistorySample } from '../../core/home/api.ts';
import { ownersOf } from '../../core/home/devices/inner-addresses.ts';
import { TrafficHistory, type TrafficRates } from '../../core/home/traffic-history.ts';
import type { InnerPlaces } from '../../core/plan/facts.ts';
import type { System } from '../system/system.ts';
import type { HomeEffects } from './home-effects.ts';
import { PROBE_KEY } from './home-tunnel.ts';

/** Kept in memory alone. */
export class HomeHistory {
  readonly #system: Pick<System, 'clock'>;
  readonly #effects: HomeEffects;
  readonly #traffic = new TrafficHistory();
  readonly addresses = new AddressMeter();

  constructor(system: Pick<System, 'clock'>, effects: HomeEffects) {
    this.#system = system;
    this.#effects = effects;
  }

  get samples(): HistorySample[] {
    return this.#traffic.samples;
  }

  get rates(): TrafficRates {
    return this.#traffic.rates;
  }

  clear(): void {
    this.#traffic.clear();
  }

  /** Takes in what the counters say now. @param innerPlaces who has which inner address. */
  sample(packetBytes: number, innerPlaces: InnerPlaces, isConnected: boolean): void {
    const { tunnel, sentPackets, receivedPackets } = this.#effects;
    const queues = tunnel.link?.queues;
    const byKey = queues?.countersByKey() ?? new Map<string, QueueCounters>();
    // The service's own questions are no device's.
    const own = byKey.get(PROBE_KEY);
    byKey.delete(PROBE_KEY);
    const nowMs = this.#system.clock.monotonicMs();
    const unixS = Math.floor(this.#system.clock.unixMs() / 1000);
    this.#traffic.push(
      {
        uploadDeviceBytes: (queues?.totals.bytesOut ?? 0) - (own?.bytesOut ?? 0),
        downloadDeviceBytes: [...tunnel.downloadBytes.values()].reduce(
          (sum, bytes) => sum + bytes,
          0,
        ),
        uploadPackets: sentPackets ?? 0,
        downloadPackets: receivedPackets ?? 0,
        isConnected,
      },
      queues?.oldestWaitMs(nowMs) ?? 0,
      packetBytes + TUNNEL_OVERHEAD_BYTES,
      nowMs,
      unixS,
    );
    this.addresses.push(byKey, tunnel.downloadBytes, ownersOf(innerPlaces), nowMs, unixS);
  }
}
