// What devices of the lab can be made to do besides living as a household: loads at the edges of what a home has.
import { type Random, seededRandom } from '../../../core/random/random.ts';
import {
  type CatalogueDevice,
  type DeviceId,
  deviceCatalogue,
  type HouseDevice,
} from '../../devices/catalogue.ts';
import { planHousehold } from '../emulators/household.ts';
import { about, between, type DevicePlan, type Exchange, ticks } from '../emulators/plan.ts';
import { activeStretches, drawTurns } from './turns.ts';

/** Each with what it is, for the command line. */
export const loads = {
  household: 'the seven devices of the paper',
  tiny: '1,000 packets of 44 to 60 bytes a second, each answered',
  camera: 'a camera at three times the rate',
  crowd: '100 devices, each with a small question and its answer once a second',
} as const;

export type Load = keyof typeof loads;

/** Devices of a crowd. */
export const CROWD = 100;

const TINY_EVERY_S = 0.001;
/** IP and UDP headers stand before it. */
const TINY_BYTES = { least: 16, most: 32 };
const CAMERA_RATES = 3;
const CAMERA_BYTES = 1200;
const UDP_HEADERS_BYTES = 28;
const CROWD_EVERY_S = 1;
const PORT = 10_000;
/** Drawn apart from turns and households. */
const STREAM = 91;

export interface LoadOptions {
  load: Load;
  seed: number;
  durationS: number;
  /** Idle and active by turns of so long each; otherwise active throughout, but for the household. */
  alternateS?: number | undefined;
  /** What the tunnel carries each way. */
  rateKBps: number;
}

type Planner = (random: Random, startS: number, endS: number, rateKBps: number) => Exchange[];

const planners: Record<Exclude<Load, 'household'>, Planner> = {
  tiny: planTiny,
  camera: planCamera,
  crowd: planCrowd,
};

/** Plans one run; the same options give the same plan. */
export function planLoad(options: LoadOptions): DevicePlan {
  const { load, seed, durationS, alternateS } = options;
  if (load === 'household') return planHousehold(options);
  const activities =
    alternateS === undefined
      ? [{ startS: 0, endS: durationS }]
      : activeStretches(drawTurns(seed, durationS, alternateS), durationS);
  const random = seededRandom(seed, STREAM);
  const exchanges = activities.flatMap(({ startS, endS }) =>
    planners[load](random, startS, endS, options.rateKBps),
  );
  exchanges.sort((a, b) => a.atS - b.atS);
  const first = exchanges[0]?.device ?? deviceCatalogue[0]!.id;
  const events = activities.map(({ startS }) => ({ atS: startS, device: first, event: load }));
  return { exchanges, events, activities };
}

function planTiny(random: Random, startS: number, endS: number): Exchange[] {
  const { least, most } = TINY_BYTES;
  return ticks(random, startS, endS, TINY_EVERY_S).map((atS) =>
    datagram(oneOf('orvibo-socket'), atS, Math.round(between(random, least, most)), least),
  );
}

function planCamera(random: Random, startS: number, endS: number, rateKBps: number): Exchange[] {
  const everyS = (CAMERA_BYTES + UDP_HEADERS_BYTES) / (CAMERA_RATES * rateKBps * 1000);
  return ticks(random, startS, endS, everyS).map((atS) =>
    datagram(oneOf('nest-cam'), atS, CAMERA_BYTES, 0),
  );
}

function planCrowd(random: Random, startS: number, endS: number): Exchange[] {
  return crowdDevices().flatMap((member) => {
    const fromS = startS + between(random, 0, CROWD_EVERY_S);
    return ticks(random, fromS, endS, CROWD_EVERY_S).map((atS) =>
      datagram(member, atS, about(random, 140, 0.1), about(random, 130, 0.1)),
    );
  });
}

interface Member {
  device: HouseDevice;
  kind: CatalogueDevice;
}

/** All devices of a crowd: one of each kind first, then more of each. */
export function crowdDevices(): Member[] {
  return Array.from({ length: CROWD }, (_, index) => {
    const kind = deviceCatalogue[index % deviceCatalogue.length]!;
    const round = Math.floor(index / deviceCatalogue.length);
    return { device: round === 0 ? kind.id : (`${kind.id}-${round + 1}` as const), kind };
  });
}

function oneOf(id: DeviceId): Member {
  return { device: id, kind: deviceCatalogue.find((kind) => kind.id === id)! };
}

/** A question in one datagram, to the first server its kind knows. */
function datagram(
  { device, kind }: Member,
  atS: number,
  upBytes: number,
  downBytes: number,
): Exchange {
  return { atS, device, protocol: 'udp', name: kind.dnsNames[0]!, port: PORT, upBytes, downBytes };
}
