// Faults that another home brings: one with the same profile, one beside which the machine is busy.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExposureLab } from '../../net/exposure/exposure-lab.ts';
import { eventually } from '../../net/support.ts';
import { NEIGHBOUR, profileOf } from './hostile-faults.ts';
import { endpointStatus, type Fault } from './measure.ts';
import { SecondHome } from './second-home.ts';

/** Words for both homes and the endpoint: they take turns, and the second is to be in no hurry. */
const TOLD_WITHIN_MS = 30_000;
const BUSY_MS = 20_000;

const present = new WeakMap<ExposureLab, SecondHome>();

async function settle(lab: ExposureLab): Promise<SecondHome> {
  const home = await SecondHome.build(lab.network);
  present.set(lab, home);
  return home;
}

/** Takes the second home away again, and waits until the first is served. */
async function depart(lab: ExposureLab): Promise<void> {
  await present.get(lab)?.close();
  await lab.network.await('shaping');
}

/** Whether a home's status, or that of the endpoint, says in words that a profile is used twice. */
function says(status: unknown): boolean {
  return /profile-shared/.test(JSON.stringify(status ?? ''));
}

/** Who has not been told within the time there is. */
async function findUntold(lab: ExposureLab, second: SecondHome): Promise<string[]> {
  const places: [string, () => Promise<unknown>][] = [
    ['the first home', () => lab.network.status()],
    ['the endpoint', () => endpointStatus(lab)],
    ['the second home', () => second.status()],
  ];
  const found = await Promise.all(
    places.map(([who, ask]) =>
      eventually(who, async () => says(await ask()), TOLD_WITHIN_MS).then(
        () => [],
        () => [`${who} is not told`],
      ),
    ),
  );
  return found.flat();
}

/** Packets that the first home's class has sent: fewer than before where it was made again. */
async function classPackets(lab: ExposureLab): Promise<number> {
  const text = await lab.network.netns('endpoint', ['tc', '-s', 'class', 'show', 'dev', 'iotvpn0']);
  return Number(/class htb 1:2 [\s\S]*?Sent \d+ bytes (\d+) pkt/.exec(text)?.[1] ?? 0);
}

const before = { packets: 0 };

async function findRebuilt(lab: ExposureLab): Promise<string[]> {
  return (await classPackets(lab)) < before.packets ? ['the queue was made again'] : [];
}

async function busy(forMs: number): Promise<void> {
  const children: ChildProcess[] = [];
  for (let one = 0; one < 2 * availableParallelism(); one++) {
    children.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  }
  await delay(forMs);
  for (const child of children) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

export const neighbourFaults: Fault[] = [
  {
    name: 'neighbour: a second home with the same profile',
    plant: async (lab) => {
      const second = await settle(lab);
      await second.startService(lab.network.path('home.ovpn'));
      await eventually('the second home has the tunnel', async () => {
        return (await second.status())?.tunnel.state === 'up';
      });
    },
    // It takes the tunnel once more before it knows.
    check: (lab) => findUntold(lab, present.get(lab)!),
    undo: depart,
  },
  {
    name: 'neighbour: two homes, all cores busy for 20 s',
    prepare: async (lab) => {
      await profileOf(lab);
      const second = await settle(lab);
      await second.startService(lab.network.path(`${NEIGHBOUR}.ovpn`));
      await eventually('the neighbour is served', async () => {
        return (await second.status())?.state === 'shaping';
      });
    },
    plant: async (lab) => {
      before.packets = await classPackets(lab);
      await busy(BUSY_MS);
    },
    check: findRebuilt,
    undo: depart,
  },
];
