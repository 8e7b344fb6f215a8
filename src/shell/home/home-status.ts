// Renders what the home knows of itself as the contract of the bus says. Pure.
import { mainDefaults } from '../../core/config/options/options.ts';
import type { ActiveRate } from '../../core/config/schedule.ts';
import type { Config } from '../../core/config/types.ts';
import { costOf } from '../../core/cost/cost.ts';
import { scheduleShares } from '../../core/cost/shares.ts';
import type { DeviceQueues } from '../../core/framing/queues.ts';
import { renderAs, renderReason } from '../../core/home/answers.ts';
import type { ConfigStatus, DirectionStatus, Status } from '../../core/home/api.ts';
import {
  type AddressTraffic,
  listDevices,
  type Neighbour,
  round,
} from '../../core/home/devices/device-table.ts';
import type { HomeState } from '../../core/home/machine/state.ts';
import type { TrafficRates } from '../../core/home/traffic-history.ts';
import { sentencesOf } from '../../core/notices/words.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { standingDelayMs, standingSlots } from '../../core/plan/outer-clock.ts';
import { shapeOf, slotsPerSecond } from '../../core/stream/stream.ts';
import { version } from '../../version.ts';

/** An endpoint that has not answered for so long is silent. */
const SILENT_MS = 15_000;

export interface HomeSnapshot {
  machine: HomeState;
  configStatus: ConfigStatus;
  /** The configuration in force, or switched off; null when there is none. */
  config: Config | null;
  remote: string;
  /** Null when there is no configuration. */
  rate: ActiveRate | null;
  /** Devices' packets that wait; null while the tunnel is not open. */
  queues: Pick<DeviceQueues, 'totals' | 'oldestWaitMs'> | null;
  answerSilentMs: number;
  rates: TrafficRates;
  neighbours: readonly Neighbour[];
  names: ReadonlyMap<string, string>;
  traffic: readonly AddressTraffic[];
  nowMs: number;
}

const NO_RATE: ActiveRate = { uploadKBps: 0, downloadKBps: 0, source: 'main.rate' };

/** The answer of `ubus call iotshaper status`. */
export function renderStatus(snapshot: HomeSnapshot): Status {
  const { config, machine, rates, queues } = snapshot;
  const { told, tunnel, welcome, house } = machine;
  const { reason, remarks, fault, trouble } = told;
  const main = config?.main ?? mainDefaults;
  const rate = snapshot.rate ?? NO_RATE;
  const running = told.state !== 'off' && told.state !== 'error';
  const silent = snapshot.answerSilentMs > SILENT_MS;
  const asked = running ? config : null;
  return {
    state: told.state,
    ...renderReason(reason),
    reason: sentencesOf([reason, ...remarks]),
    remarks: [...remarks],
    ...(fault && renderAs('fault', fault)),
    ...(trouble && renderAs('trouble', trouble)),
    since: told.sinceS,
    version,
    role: 'home',
    config: snapshot.configStatus,
    rate: { upload_kBps: rate.uploadKBps, download_kBps: rate.downloadKBps, source: rate.source },
    mode: main.mode,
    packet_size: main.packetBytes,
    killswitch: main.killswitch,
    dns: main.dns,
    tunnel: {
      state: running ? machine.tunnelState : 'off',
      remote: snapshot.remote,
      interface: TUNNEL_NETDEV,
      ...(tunnel ? { address: tunnel.local, peer: tunnel.peer } : {}),
      ...(machine.tunnelSinceS > 0 ? { since: machine.tunnelSinceS } : {}),
    },
    upload: direction(asked, rate.uploadKBps, rates.uploadPps, rates.uploadDeviceKBps, {
      queue_packets: queues?.totals.depthPackets ?? 0,
      queue_ms: Math.round(waitOf(snapshot, rate)),
      dropped: queues ? queues.totals.droppedLate + queues.totals.droppedFull : 0,
    }),
    download: direction(asked, rate.downloadKBps, rates.downloadPps, rates.downloadDeviceKBps, {
      queue_packets: welcome?.queuePackets ?? 0,
      queue_ms: welcome?.queueMs ?? 0,
      dropped: welcome?.dropped ?? 0,
    }),
    endpoint: {
      state: welcome === null || !running ? 'unknown' : silent ? 'silent' : 'up',
      version: welcome?.version ?? '',
    },
    devices: config
      ? listDevices(
          config,
          snapshot.neighbours,
          snapshot.names,
          snapshot.traffic,
          machine.near.followed,
        )
      : [],
    house: running ? house.listing : [],
    not_house: running
      ? house.doubtful.map(({ name, why }) => ({
          name,
          ...renderAs('why', why),
        }))
      : [],
    cost: cost(config, rate, main.packetBytes),
  };
}

/** How long the oldest waits so far, and will behind the slots that stand in the clock behind OpenVPN. */
function waitOf({ queues, nowMs, config, machine }: HomeSnapshot, rate: ActiveRate): number {
  const waitMs = queues?.oldestWaitMs(nowMs) ?? 0;
  if (!config || machine.clock === null || waitMs === 0 || rate.uploadKBps === 0) return waitMs;
  const shape = shapeOf(config, rate.uploadKBps);
  return waitMs + standingDelayMs(standingSlots(config, shape), shape);
}

/** @param config null when nothing is asked of the stream */
function direction(
  config: Config | null,
  rateKBps: number,
  pps: number,
  deviceKBps: number,
  queue: Pick<DirectionStatus, 'queue_packets' | 'queue_ms' | 'dropped'>,
): DirectionStatus {
  const { packetBytes } = config?.main ?? mainDefaults;
  return {
    target_pps: round(config ? slotsPerSecond(shapeOf(config, rateKBps)) : 0),
    pps: round(pps),
    device_kBps: round(deviceKBps),
    cover_kBps: round(Math.max(0, (pps * packetBytes) / 1000 - deviceKBps)),
    ...queue,
  };
}

function cost(config: Config | null, rate: ActiveRate, packetBytes: number): Status['cost'] {
  const { gbPerMonth, capPercent, pricePerMonth } = costOf({
    // What holds when no schedule does.
    uploadKBps: (config?.main.rate ?? rate).uploadKBps,
    downloadKBps: (config?.main.rate ?? rate).downloadKBps,
    packetBytes,
    schedules: config ? scheduleShares(config) : [],
    ...(config?.main.dataCapGB ? { dataCapGB: config.main.dataCapGB } : {}),
    ...(config?.main.pricePerGB ? { pricePerGB: config.main.pricePerGB } : {}),
  });
  return {
    gb_per_month: round(gbPerMonth),
    ...(capPercent === undefined || capPercent === null ? {} : { cap_percent: round(capPercent) }),
    ...(pricePerMonth === undefined || pricePerMonth === null
      ? {}
      : { price_per_month: round(pricePerMonth) }),
  };
}
