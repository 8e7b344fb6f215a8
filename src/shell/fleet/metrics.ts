// What Prometheus is told: the schedule and whether it is kept; of what devices do, a whole day's totals at most.
import { Counter, Gauge, Registry } from 'prom-client';
import type { EndpointFigures } from '../../core/endpoint/fleet/figures.ts';
import { version } from '../../version.ts';
import type { Resources } from './resources.ts';

/** What processor and memory tell of one home is told only where it is one among so many. */
export const AMONG_HOMES = 5;

export interface MetricsSource {
  figures: EndpointFigures;
  endpoint: string;
  /** Whether the service answers. */
  isServing: () => boolean;
  /** Why homes or their devices get nothing, counted. */
  warnings: () => number;
  /** Whether homes are sent on to other endpoints. */
  isDrained: () => boolean;
  /** Whether the registry is heard; null for one machine's files. */
  hasRegistry: () => boolean | null;
  resources: () => Promise<Resources | null>;
}

/** All of it as text. @returns also its type */
export class Metrics {
  readonly #source: MetricsSource;
  readonly #registry = new Registry();
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();

  constructor(source: MetricsSource) {
    this.#source = source;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async render(): Promise<string> {
    this.#registry.resetMetrics();
    this.#fillService();
    this.#fillHomes();
    this.#fillDay();
    await this.#fillResources();
    return this.#registry.metrics();
  }

  #fillService(): void {
    const { endpoint, isServing, warnings, isDrained, hasRegistry } = this.#source;
    this.#gauge('iotshaper_info', 'The program and the endpoint it is.', { version, endpoint }, 1);
    this.#gauge('iotshaper_serving', 'Whether the service answers.', {}, Number(isServing()));
    this.#gauge('iotshaper_warnings', 'Why homes or devices get nothing.', {}, warnings());
    const drained = 'Whether homes are sent on to other endpoints.';
    this.#gauge('iotshaper_drained', drained, {}, Number(isDrained()));
    const isHeard = hasRegistry();
    if (isHeard === null) return;
    this.#gauge('iotshaper_registry_heard', 'Whether the registry is heard.', {}, Number(isHeard));
  }

  /** The same for a home whose devices do nothing and for one whose devices do much. */
  #fillHomes(): void {
    const { figures } = this.#source;
    const { homes } = figures;
    const online = homes.filter((home) => home.online);
    this.#gauge('iotshaper_homes', 'Homes that the endpoint knows.', {}, homes.length);
    this.#gauge('iotshaper_homes_connected', 'Homes that are connected here.', {}, online.length);
    for (const { name: home, online: isOnline } of homes) {
      const help = 'Whether a home is connected here.';
      this.#gauge('iotshaper_home_connected', help, { home }, Number(isOnline));
      const times = figures.reconnectsOf(home);
      this.#counter('iotshaper_home_reconnects_total', 'How often it came again.', { home }, times);
    }
    for (const { name: home, slots_asked_per_s: asked, slots_sent_per_s: sent } of online) {
      const help = 'Slots a second that the schedule to a home has.';
      this.#gauge('iotshaper_slots_asked_per_second', help, { home }, asked);
      if (sent === null) continue;
      const got = 'Slots a second that were counted on their way to a home.';
      this.#gauge('iotshaper_slots_sent_per_second', got, { home }, sent);
      if (sent === 0) continue;
      const error = 'How much longer than asked for the intervals between slots are, as a share.';
      this.#gauge('iotshaper_interval_error_ratio', error, { home }, asked / sent - 1);
    }
  }

  #fillDay(): void {
    const { lastDay } = this.#source.figures;
    if (!lastDay) return;
    const { droppedPackets, longestWaitMs } = lastDay;
    const dropped =
      'Packets of devices dropped in the last whole day (UTC), of all homes together.';
    this.#gauge('iotshaper_last_day_dropped_packets', dropped, {}, droppedPackets);
    const wait = 'Longest wait of a packet for its slot in the last whole day (UTC), of all homes.';
    this.#gauge('iotshaper_last_day_longest_wait_seconds', wait, {}, longestWaitMs / 1000);
  }

  async #fillResources(): Promise<void> {
    const { figures, resources } = this.#source;
    if (figures.homes.filter((home) => home.online).length < AMONG_HOMES) return;
    const used = await resources();
    if (!used) return;
    const cpu = 'Processor time of the service and its programs.';
    this.#counter('iotshaper_cpu_seconds_total', cpu, {}, used.cpuSeconds);
    this.#gauge(
      'iotshaper_memory_bytes',
      'Memory of the service and its programs.',
      {},
      used.memoryBytes,
    );
  }

  #gauge(name: string, help: string, labels: Record<string, string>, value: number): void {
    let gauge = this.#gauges.get(name);
    if (!gauge) {
      gauge = new Gauge({
        name,
        help,
        labelNames: Object.keys(labels),
        registers: [this.#registry],
      });
      this.#gauges.set(name, gauge);
    }
    gauge.set(labels, value);
  }

  #counter(name: string, help: string, labels: Record<string, string>, value: number): void {
    let counter = this.#counters.get(name);
    if (!counter) {
      const registers = [this.#registry];
      counter = new Counter({ name, help, labelNames: Object.keys(labels), registers });
      this.#counters.set(name, counter);
    }
    counter.inc(labels, value);
  }
}
