// A home that does its endpoint all the harm it can, one trick after another: what its neighbour sees of it.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseStat } from '../../../src/research/lab/bed/processor-time.ts';
import type { ExposureLab } from '../../net/exposure/exposure-lab.ts';
import type { Fault } from './measure.ts';
import { SecondHome } from './second-home.ts';

/** Of the home with a profile of its own. */
export const NEIGHBOUR = 'neighbour';
const FOR_MS = 15_000;
/** What the endpoint's memory may grow by, in kB: what is left to collect varies by as much. */
const GROWTH_KB = 40_000;
/** What of its processor, as a share of a core, the endpoint's service may take while it lasts. */
const MOST_CORES = 0.6;

const present = new WeakMap<ExposureLab, SecondHome>();

/** What the endpoint's service took. */
interface Taken {
  residentKb: number;
  cpuS: number;
  atS: number;
}

const before: Taken = { residentKb: 0, cpuS: 0, atS: 0 };

/** Gives the neighbour a profile once. */
export async function profileOf(lab: ExposureLab): Promise<string> {
  const path = lab.network.path(`${NEIGHBOUR}.ovpn`);
  const kept = await readFile(path, 'utf8').catch(() => null);
  if (kept !== null) return kept;
  await lab.network.endpoint('add-home', NEIGHBOUR, '--out', path);
  await delay(2000);
  await lab.network.await('shaping');
  await delay(8000);
  return readFile(path, 'utf8');
}

/** Memory of the endpoint's service, and what it took of a processor. */
async function taken(lab: ExposureLab): Promise<Taken> {
  const [pid] = await lab.pids('endpoint', 'node');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return {
    residentKb: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]),
    cpuS: parseStat(stat).ownS,
    atS: performance.now() / 1000,
  };
}

async function depart(lab: ExposureLab): Promise<void> {
  await present.get(lab)?.close();
  await lab.network.await('shaping');
}

function trick(what: string, name: string, perS: number): Fault {
  const during = { cores: 0, answers: '' };
  return {
    name: `neighbour: a hostile home, ${what}`,
    prepare: async (lab) => {
      const profile = await profileOf(lab);
      const second = await SecondHome.build(lab.network);
      present.set(lab, second);
      const { controlKey } = await second.connect(profile);
      const key = Buffer.from(controlKey).toString('base64');
      const program = 'build/test/net/programs/control-flood.js';
      const words = ['10.213.0.3', '10.213.0.1', key, `${perS}`, name];
      const child = second.start([process.execPath, program, ...words]);
      during.answers = '';
      child.stdout!.on('data', (text) => {
        during.answers = `${during.answers}${text}`.slice(-1000);
      });
      await once(child.stdout!, 'data');
    },
    plant: async (lab) => {
      Object.assign(before, await taken(lab));
      await delay(FOR_MS);
      const { cpuS, atS } = await taken(lab);
      during.cores = (cpuS - before.cpuS) / (atS - before.atS);
    },
    check: async (lab) => {
      const grownKb = (await taken(lab)).residentKb - before.residentKb;
      const answers = [...new Set(during.answers.split('\n'))].filter(Boolean).join(', ');
      process.stderr.write(
        `  the endpoint's service: ${during.cores.toFixed(2)} cores, ${grownKb} kB more; said: ${answers}\n`,
      );
      return [
        ...(grownKb > GROWTH_KB ? [`the endpoint grew by ${grownKb} kB`] : []),
        ...(during.cores > MOST_CORES ? [`it took ${during.cores.toFixed(2)} cores`] : []),
      ];
    },
    leastAnswered: 0.9,
    undo: depart,
  };
}

/** Connects and goes as fast as OpenVPN can. */
const comingAndGoing: Fault = {
  name: 'neighbour: a hostile home, coming and going without a pause',
  prepare: async (lab) => {
    await profileOf(lab);
    present.set(lab, await SecondHome.build(lab.network));
  },
  plant: async (lab) => {
    const profile = await profileOf(lab);
    const second = present.get(lab)!;
    Object.assign(before, await taken(lab));
    let times = 0;
    for (const untilMs = Date.now() + FOR_MS; Date.now() < untilMs; times++) {
      await second.connect(profile);
      await second.leave();
    }
    process.stderr.write(`  it came ${times} times\n`);
  },
  check: async (lab) => {
    const grownKb = (await taken(lab)).residentKb - before.residentKb;
    return grownKb > GROWTH_KB ? [`the endpoint grew by ${grownKb} kB`] : [];
  },
  leastAnswered: 0.9,
  undo: depart,
};

export const hostileFaults: Fault[] = [
  trick('another wish a thousand times a second, and noise', 'wishes', 1000),
  trick('one run after another', 'runs', 1000),
  trick('hellos for 10,000 KB/s', 'giant', 5),
  trick('ten thousand datagrams of every size a second, to every port', 'sizes', 10_000),
  trick('ten thousand frames of noise a second', 'frames', 10_000),
  trick('ten thousand slots of cover a second', 'cover', 10_000),
  comingAndGoing,
];
