// Renders what the home knows of itself as the contract of the bus says. Pure but for reading the datapath's fields.
import { mainDefaults } from '../../core/config/options/options.ts';
import type { ActiveRate } from '../../core/config/schedule.ts';
import type { Config } from '../../core/config/types.ts';
import { costOf } from '../../core/cost/cost.ts';
import { renderAs, renderReason } from '../../core/home/answers.ts';
import type { ConfigStatus, DirectionStatus, State, Status } from '../../core/home/api.ts';
import {
  type AddressTraffic,
  listDevices,
  type Neighbour,
  round,
} from '../../core/home/devices/device-table.ts';
import type { TrafficRates } from '../../core/home/traffic-history.ts';
import type { Notice } from '../../core/notices/notice.ts';
import { sentencesOf } from '../../core/notices/words.ts';
import type { FollowedDevice } from '../../core/plan/facts.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { shapeOf, slotsPerSecond } from '../../core/stream/stream.ts';
import { version } from '../../version.ts';
import type { HomeDatapath } from './home-datapath.ts';

/** An endpoint that has not answered for so long is silent. */
const SILENT_MS = 15_000;

export interface HomeSnapshot {
  state: State;
  reason: Notice;
  /** Sentences behind it. */
  remarks: readonly Notice[];
  /** Null when nothing stands in the way. */
  fault: Notice | null;
  since: number;
  configStatus: ConfigStatus;
  config: Config | null;
  remote: string;
  rate: ActiveRate;
  datapath: HomeDatapath;
  rates: TrafficRates;
  neighbours: readonly Neighbour[];
  names: ReadonlyMap<string, string>;
  traffic: readonly AddressTraffic[];
  followed: readonly FollowedDevice[];
  nowMs: number;
}

/** The answer of `ubus call iotshaper status`. */
export function renderStatus(snapshot: HomeSnapshot): Status {
  const { config, datapath, rate, rates, configStatus, reason, remarks, fault } = snapshot;
  const packetBytes = config?.main.packetBytes ?? mainDefaults.packetBytes;
  const { tunnel, welcome, link } = datapath;
  const running = snapshot.state !== 'off' && snapshot.state !== 'error';
  const queues = link?.queues;
  const silent =
    (datapath.control?.silentMs(snapshot.nowMs) ?? Number.POSITIVE_INFINITY) > SILENT_MS;
  return {
    state: snapshot.state,
    ...renderReason(reason),
    reason: sentencesOf([reason, ...remarks]),
    remarks: [...remarks],
    ...(fault && renderAs('fault', fault)),
    since: snapshot.since,
    version,
    role: 'home',
    config: configStatus,
    rate: { upload_kBps: rate.uploadKBps, download_kBps: rate.downloadKBps, source: rate.source },
    mode: config?.main.mode ?? mainDefaults.mode,
    packet_size: packetBytes,
    killswitch: config?.main.killswitch ?? mainDefaults.killswitch,
    dns: config?.main.dns ?? mainDefaults.dns,
    tunnel: {
      state: running ? datapath.tunnelState : 'off',
      remote: snapshot.remote,
      interface: TUNNEL_NETDEV,
      ...(tunnel ? { address: tunnel.local, peer: tunnel.peer } : {}),
      ...(datapath.tunnelSince > 0 ? { since: datapath.tunnelSince } : {}),
    },
    upload: direction(
      running ? config : null,
      rate.uploadKBps,
      rates.uploadPps,
      rates.uploadDeviceKBps,
      packetBytes,
      {
        queue_packets: queues?.totals.depthPackets ?? 0,
        queue_ms: Math.round(queues?.oldestWaitMs(snapshot.nowMs) ?? 0),
        dropped: queues ? queues.totals.droppedLate + queues.totals.droppedFull : 0,
      },
    ),
    download: direction(
      running ? config : null,
      rate.downloadKBps,
      rates.downloadPps,
      rates.downloadDeviceKBps,
      packetBytes,
      {
        queue_packets: welcome?.queuePackets ?? 0,
        queue_ms: welcome?.queueMs ?? 0,
        dropped: welcome?.dropped ?? 0,
      },
    ),
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
          snapshot.followed,
        )
      : [],
    house: running ? datapath.house.listing : [],
    not_house: running
      ? datapath.house.doubtful.map(({ name, why }) => ({
          name,
          ...renderAs('why', why),
        }))
      : [],
    cost: cost(config, rate, packetBytes),
  };
}

/** @param config null when nothing is asked of the stream */
function direction(
  config: Config | null,
  rateKBps: number,
  pps: number,
  deviceKBps: number,
  packetBytes: number,
  queue: Pick<DirectionStatus, 'queue_packets' | 'queue_ms' | 'dropped'>,
): DirectionStatus {
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
    uploadKBps: rate.uploadKBps,
    downloadKBps: rate.downloadKBps,
    packetBytes,
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
