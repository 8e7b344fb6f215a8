// What one fault did: what left in the clear, how long the wire stood still, how much it made up at once, when all was well again.
import { setTimeout as delay } from 'node:timers/promises';
import type { ExposureLab } from '../../net/exposure/exposure-lab.ts';
import { CLOUD } from '../../net/home-network.ts';
import { readWire } from '../../net/wire.ts';

/** One fault, planted in a lab whose devices talk. */
export interface Fault {
  name: string;
  /** Breaks something; what lasts for a while lasts as long as this. */
  plant(lab: ExposureLab): Promise<unknown>;
  /** Takes away what the service is not asked to mend. */
  undo?(lab: ExposureLab): Promise<unknown>;
  /** Seconds in which all has to be well again, once {@link Fault.plant} is through. */
  recoverS?: number;
}

/** One direction of the home's line. */
export interface WayMeasure {
  silenceS: number;
  /** Most datagrams within 100 ms. */
  burst: number;
}

export interface Measure {
  devices: string[];
  inside: string[];
  up: WayMeasure;
  down: WayMeasure;
  /** From the end of the planting to the last moment at which anything was not well; Infinity where it never was. */
  recoveredS: number;
  /** What the status said meanwhile, in order. */
  said: string[];
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
/** Of the slots asked for, over a second: less is no stream in good order. */
const LEAST_SHARE = 0.7;
/** A device of its own, which the other's backlog does not hold up. */
const WITNESS = '192.168.8.12';

/** Plants the fault, and waits until all is well again or nothing more is to be hoped for. */
export async function measureFault(lab: ExposureLab, fault: Fault): Promise<Measure> {
  const answersS: number[] = [];
  const ping = ['ping', '-n', '-i', '0.2', '-s', '30', '-I', WITNESS, CLOUD];
  const witness = lab.network.start('devices', ping);
  witness.stdout!.on('data', () => answersS.push(Date.now() / 1000));
  const badS: number[] = [];
  const said: string[] = [];
  const moments = { plantedS: 0, mendedS: 0, endS: 0 };
  const stop = new AbortController();
  const looking = look(lab, { answersS, badS, said }, stop.signal);
  try {
    const seen = await lab.watch(async () => {
      await delay(500); // so that what was before is seen, too
      moments.plantedS = Date.now() / 1000;
      await fault.plant(lab);
      moments.mendedS = Date.now() / 1000;
      await settled(badS);
      moments.endS = Date.now() / 1000;
    });
    const wire = await readWire(seen.homeCapture);
    const { plantedS, mendedS, endS } = moments;
    const ways = [wire.up, wire.down].map((packets) => packets.map(({ timeS }) => timeS));
    for (const timesS of ways) badS.push(...thinMoments(timesS, plantedS, endS));
    const lastBadS = badS
      .filter((timeS) => timeS > plantedS && timeS <= endS)
      .sort(ascending)
      .at(-1);
    const recoveredS =
      lastBadS === undefined
        ? 0
        : endS - lastBadS < 1
          ? Number.POSITIVE_INFINITY
          : lastBadS - mendedS;
    const [up, down] = ways.map((timesS) => measureWay(timesS, plantedS, endS));
    const { devices, inside } = seen;
    return { devices, inside, up: up!, down: down!, recoveredS: Math.max(0, recoveredS), said };
  } finally {
    stop.abort();
    await looking;
    witness.kill('SIGKILL');
    await fault.undo?.(lab);
  }
}

/** The same stream with nothing broken, beside which everything else is seen. */
export const nothing: Fault = { name: 'nothing', plant: () => delay(NOTHING_MS) };

interface Notes {
  answersS: readonly number[];
  badS: number[];
  said: string[];
}

/** Notes when the status was not well, and when devices had no answer. */
async function look(lab: ExposureLab, { answersS, badS, said }: Notes, signal: AbortSignal) {
  while (!signal.aborted) {
    const status = await lab.network.status().catch(() => null);
    const nowS = Date.now() / 1000;
    const words = status ? `${status.state}: ${status.reason}` : 'no answer';
    if (!said.includes(words)) said.push(words);
    const isAnswered = nowS - (answersS.at(-1) ?? 0) < 1.5;
    if (status?.state !== 'shaping' || !isAnswered) badS.push(nowS);
    await delay(LOOK_MS, undefined, { signal }).catch(() => {}); // the service tells it no other way here
  }
}

async function settled(badS: readonly number[]): Promise<void> {
  const sinceMs = Date.now();
  const goodMs = () => Date.now() - Math.max(sinceMs, (badS.at(-1) ?? 0) * 1000);
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
  let first = 0;
  within.forEach((timeS, index) => {
    while (within[first]! < timeS - 0.1) first++;
    burst = Math.max(burst, index - first + 1);
  });
  return { silenceS, burst };
}

function ascending(one: number, other: number): number {
  return one - other;
}
