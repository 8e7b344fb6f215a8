// What one fault did: what left in the clear, how long the wire stood still, how much it made up at once, when all was well again.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lab as addresses } from '../../../src/research/lab/bed/topology.ts';
import { askLocalApi } from '../../../src/shell/machine/local-api.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';
import { type ExposureLab, ROUTER_RESOLVER } from '../../net/exposure/exposure-lab.ts';
import { CLOUD } from '../../net/home-network.ts';
import { readWire } from '../../net/wire.ts';

/** One fault, planted in a lab whose devices talk. */
export interface Fault {
  name: string;
  /** What has to be there before, which is not looked at. */
  prepare?(lab: ExposureLab): Promise<unknown>;
  /** Breaks something; what lasts for a while lasts as long as this. */
  plant(lab: ExposureLab): Promise<unknown>;
  /** Takes away what the service is not asked to mend. */
  undo?(lab: ExposureLab): Promise<unknown>;
  /** What else has to hold once all is well; returns what does not. */
  check?(lab: ExposureLab): Promise<string[]>;
  /** Share of what a device asks beside the fault that has to be answered; nothing where that is not asked. */
  leastAnswered?: number;
  /** Seconds in which all has to be well again, once {@link Fault.plant} is through. */
  recoverS?: number;
}

/** One direction of the home's line. */
export interface WayMeasure {
  silenceS: number;
  /** Most datagrams within 100 ms. */
  burst: number;
  /** When they began, from the planting on. */
  burstAtS: number;
}

export interface Measure {
  devices: string[];
  inside: string[];
  up: WayMeasure;
  down: WayMeasure;
  /** Most datagrams within 100 ms, either way, once all was well again. */
  calmBurst: number;
  /** Share of the witness's questions that was answered from the planting on. */
  answeredShare: number;
  /** What {@link Fault.check} found. */
  found: string[];
  /** From the end of the planting to the last moment at which anything was not well; Infinity where it never was. */
  recoveredS: number;
  /** What was not well at that last moment; null where all was. */
  lastBad: string | null;
  /** What the status said meanwhile, in order. */
  said: string[];
}

/** A moment at which something was not well. */
interface Bad {
  timeS: number;
  what: string;
}

/** Of 40 KB/s in packets of 512 bytes. */
const SLOTS_PER_S = 40_000 / 512;
/** Slots' worth that may leave in 100 ms beyond what the stream makes by itself, whose intervals vary. */
export const MORE_IN_100_MS = 3;
/** What is asked for in 100 ms. */
export const ASKED_IN_100_MS = 8;
/** Nothing is broken for so long. */
const NOTHING_MS = 15_000;
export const RECOVER_S = 10;
/** All has to have been well for so long. */
const SETTLED_MS = 5000;
const GIVE_UP_MS = 45_000;
const LOOK_MS = 200;
/** Of the slots asked for, over a second: less is what the service itself calls no stream in good order. */
const LEAST_SHARE = 0.5;
/** Where the endpoint does not answer, the router itself asks its resolver whether the Internet does, which is told that nobody is there. */
const OWN_QUESTIONS = [
  `${addresses.homeAddress} > ${ROUTER_RESOLVER} protocol 17 port 53`,
  `100.64.8.1 > ${addresses.homeAddress} protocol 1 port null`,
];
/** A device of its own, which the other's backlog does not hold up. */
const WITNESS = '192.168.8.12';
const ASKED_PER_S = 5;

/** Plants the fault, and waits until all is well again or nothing more is to be hoped for. */
export async function measureFault(lab: ExposureLab, fault: Fault): Promise<Measure> {
  await fault.prepare?.(lab);
  const answersS: number[] = [];
  const ping = ['ping', '-n', '-i', `${1 / ASKED_PER_S}`, '-s', '30', '-I', WITNESS, CLOUD];
  const witness = lab.network.start('devices', ping);
  witness.stdout!.on('data', () => answersS.push(Date.now() / 1000));
  const bad: Bad[] = [];
  const said: string[] = [];
  const moments = { plantedS: 0, mendedS: 0, endS: 0 };
  let found: string[] = [];
  // What leaves is timed where it leaves: between both ends a busy machine's kernel lets packets wait for its other work.
  const departures = await Promise.all([
    lab.network.captureAt('router', 'wan', 'departures-up.pcap'),
    lab.network.captureAt('endpoint', 'eth0', 'departures-down.pcap'),
  ]);
  const stop = new AbortController();
  const looking = look(lab, { answersS, bad, said }, stop.signal);
  try {
    const seen = await lab.watch(async () => {
      await delay(500); // so that what was before is seen, too
      moments.plantedS = Date.now() / 1000;
      await fault.plant(lab);
      moments.mendedS = Date.now() / 1000;
      await settled(bad);
      moments.endS = Date.now() / 1000;
      found = (await fault.check?.(lab)) ?? [];
    });
    const { plantedS, mendedS, endS } = moments;
    const [upFile = '', downFile = ''] = await Promise.all(departures.map((end) => end()));
    const { up: sentUp } = await readWire(upFile);
    const { down: sentDown } = await readWire(downFile);
    const ways = [sentUp, sentDown].map((packets) => packets.map(({ timeS }) => timeS));
    ways.forEach((timesS, index) => {
      const what = `few packets ${index === 0 ? 'up' : 'down'}`;
      bad.push(...thinMoments(timesS, plantedS, endS).map((timeS) => ({ timeS, what })));
    });
    const last = bad
      .filter(({ timeS }) => timeS > plantedS && timeS <= endS)
      .sort((one, other) => one.timeS - other.timeS)
      .at(-1);
    const isLasting = last !== undefined && endS - last.timeS < 1;
    const recoveredS = isLasting
      ? Number.POSITIVE_INFINITY
      : Math.max(0, (last?.timeS ?? mendedS) - mendedS);
    const [up, down] = ways.map((timesS) => measureWay(timesS, plantedS, endS));
    const calm = ways.map((timesS) => measureWay(timesS, endS - SETTLED_MS / 1000, endS).burst);
    const devices = seen.devices.filter((packet) => !OWN_QUESTIONS.includes(packet));
    const { inside } = seen;
    const lastBad = last?.what ?? null;
    const asked = (endS - plantedS) * ASKED_PER_S;
    const answered = answersS.filter((timeS) => timeS > plantedS && timeS < endS).length;
    const answeredShare = Math.min(1, answered / asked);
    return {
      ...{ devices, inside, up: up!, down: down!, recoveredS, lastBad, said },
      ...{ answeredShare, found, calmBurst: Math.max(...calm) },
    };
  } finally {
    stop.abort();
    await looking;
    witness.kill('SIGKILL');
    await Promise.all(departures.map((end) => end()));
    await fault.undo?.(lab);
  }
}

/** What the endpoint says of itself. */
export function endpointStatus(lab: ExposureLab): Promise<unknown> {
  const socket = join(lab.network.path('run-endpoint'), 'api.sock');
  return askLocalApi(nodeSystem, socket, { method: 'status' }, 5000);
}

/** The same stream with nothing broken, beside which everything else is seen. */
export const nothing: Fault = { name: 'nothing', plant: () => delay(NOTHING_MS) };

interface Notes {
  answersS: readonly number[];
  bad: Bad[];
  said: string[];
}

/** Notes when the status was not well, and when devices had no answer. */
async function look(lab: ExposureLab, { answersS, bad, said }: Notes, signal: AbortSignal) {
  while (!signal.aborted) {
    const status = await lab.network.status().catch(() => null);
    const nowS = Date.now() / 1000;
    const words = status ? `${status.state}: ${status.reason}` : 'no answer';
    if (!said.includes(words)) said.push(words);
    const isAnswered = nowS - (answersS.at(-1) ?? 0) < 1.5;
    if (status?.state !== 'shaping') bad.push({ timeS: nowS, what: words });
    else if (!isAnswered) bad.push({ timeS: nowS, what: 'a device without an answer' });
    await delay(LOOK_MS, undefined, { signal }).catch(() => {}); // the service tells it no other way here
  }
}

async function settled(bad: readonly Bad[]): Promise<void> {
  const sinceMs = Date.now();
  const goodMs = () => Date.now() - Math.max(sinceMs, (bad.at(-1)?.timeS ?? 0) * 1000);
  while (goodMs() < SETTLED_MS && Date.now() - sinceMs < GIVE_UP_MS) await delay(LOOK_MS);
}

/** Moments at which too few packets had left over the second before. */
function thinMoments(timesS: readonly number[], fromS: number, toS: number): number[] {
  const thin: number[] = [];
  for (let atS = fromS; atS < toS; atS += LOOK_MS / 1000) {
    const count = timesS.filter((timeS) => timeS > atS - 1 && timeS <= atS).length;
    if (count < SLOTS_PER_S * LEAST_SHARE) thin.push(atS);
  }
  return thin;
}

function measureWay(timesS: readonly number[], fromS: number, toS: number): WayMeasure {
  const within = timesS.filter((timeS) => timeS > fromS && timeS < toS);
  const all = [fromS, ...within, toS];
  const silenceS = Math.max(...all.slice(1).map((timeS, index) => timeS - all[index]!));
  let burst = 0;
  let burstAtS = 0;
  let first = 0;
  within.forEach((timeS, index) => {
    while (within[first]! < timeS - 0.1) first++;
    if (index - first + 1 <= burst) return;
    burst = index - first + 1;
    burstAtS = within[first]! - fromS;
  });
  return { silenceS, burst, burstAtS };
}
