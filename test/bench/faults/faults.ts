// The faults that are planted: at the home, at the endpoint, on the way between them.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExposureLab } from '../../net/exposure/exposure-lab.ts';
import { clockFaults } from './clock-faults.ts';
import { crowdFaults } from './crowd-faults.ts';
import { hostileFaults } from './hostile-faults.ts';
import type { Fault } from './measure.ts';
import { neighbourFaults } from './neighbour-faults.ts';
import { on, type Place, signal, suspend } from './places.ts';
import { wireFaults } from './wire-faults.ts';

const NETDEV = 'iotvpn0';
const ROUTE_SOCKET = 'SOCKET-SENDTO:16:3:0';
const DEVICES_NETDEV = 'iot0';
const TABLE = ['inet', 'iotshaper'];

async function restart({ network }: ExposureLab, place: Place): Promise<void> {
  await network.stop(place);
  if (place === 'home') network.startHome();
  else network.startEndpoint();
  await network.await('shaping');
}

/** What can happen at either end. */
function atBoth(place: Place): Fault[] {
  const command = (name: string, ...argv: string[]): Fault => ({
    name: `${place}: ${name}`,
    plant: (lab) => on(lab, place, ...argv),
  });
  return [
    command('tunnel’s netdev down', 'ip', 'link', 'set', NETDEV, 'down'),
    command('tunnel’s address gone', 'ip', 'addr', 'flush', 'dev', NETDEV),
    command('tunnel’s route gone', 'ip', 'route', 'del', '10.213.0.0/24', 'dev', NETDEV),
    command('tunnel’s netdev deleted', 'ip', 'link', 'del', NETDEV),
    command('tunnel’s netdev renamed', 'ip', 'link', 'set', 'dev', NETDEV, 'name', 'other0'),
    command('devices’ netdev deleted', 'ip', 'link', 'del', DEVICES_NETDEV),
    command(
      'devices’ netdev renamed',
      'ip',
      'link',
      'set',
      'dev',
      DEVICES_NETDEV,
      'name',
      'other1',
    ),
    {
      name: `${place}: OpenVPN killed`,
      plant: (lab) => signal(lab, place, 'openvpn', 'SIGKILL'),
    },
    {
      name: `${place}: OpenVPN killed every 5 s`,
      plant: async (lab) => {
        for (let time = 0; time < 4; time++) {
          await signal(lab, place, 'openvpn', 'SIGKILL');
          if (time < 3) await delay(5000);
        }
      },
    },
    {
      name: `${place}: OpenVPN stopped for 10 s`,
      plant: (lab) => suspend(lab, place, 'openvpn', 10_000),
    },
    {
      name: `${place}: OpenVPN stopped for 2 s`,
      plant: (lab) => suspend(lab, place, 'openvpn', 2000),
    },
    command('queue deleted', 'tc', 'qdisc', 'del', 'dev', NETDEV, 'root'),
    command('queue’s length changed', 'ip', 'link', 'set', NETDEV, 'txqueuelen', '4096'),
    { name: `${place}: socat killed`, plant: (lab) => signal(lab, place, 'socat', 'SIGKILL') },
    {
      name: `${place}: traffic control’s socket stopped for 2 s`,
      plant: (lab) => suspend(lab, place, ROUTE_SOCKET, 2000),
    },
    {
      name: `${place}: traffic control’s socket killed`,
      plant: (lab) => signal(lab, place, ROUTE_SOCKET, 'SIGKILL'),
    },
    command('ruleset flushed', 'nft', 'flush', 'ruleset'),
    untold(place, 'ruleset flushed', 'nft', 'flush', 'ruleset'),
    untold(place, 'all our rules flushed', 'nft', 'flush', 'table', ...TABLE),
    {
      name: `${place}: the shaping thread throws`,
      plant: () => writeFile(join(process.env.THROW_WHEN_TOLD!, `throw-${place}`), ''),
    },
    {
      name: `${place}: nobody reads the log any more`,
      plant: async (lab) => {
        lab.network.services.get(place)!.stderr!.destroy();
        // So that there is something to be logged.
        await signal(lab, place, 'openvpn', 'SIGKILL');
      },
      undo: (lab) => restart(lab, place),
    },
    command('forwarding off', 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=0'),
  ];
}

/** As where nft tells nobody of what changes: what is broken is found by looking alone. */
function untold(place: Place, name: string, ...argv: string[]): Fault {
  return {
    name: `${place}: ${name}, nobody told`,
    plant: async (lab) => {
      await signalMonitors(lab, place, 'SIGSTOP');
      await on(lab, place, ...argv);
      await delay(1500);
    },
    undo: (lab) => signalMonitors(lab, place, 'SIGCONT'),
  };
}

async function signalMonitors(lab: ExposureLab, place: Place, what: NodeJS.Signals) {
  for (const pid of await lab.pids(place === 'home' ? 'router' : 'endpoint', 'nft')) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (words.split('\0').includes('monitor')) process.kill(pid, what);
  }
}

const flushing = (chain: string): string[] => ['nft', 'flush', 'chain', ...TABLE, chain];

function chainFlushed(chain: string): Fault[] {
  return [
    { name: `home: chain ${chain} flushed`, plant: (lab) => on(lab, 'home', ...flushing(chain)) },
    chainFlushedUntold(chain),
  ];
}

function chainFlushedUntold(chain: string): Fault {
  return untold('home', `chain ${chain} flushed`, ...flushing(chain));
}

export const faults: Fault[] = [
  ...atBoth('home'),
  ...['zone_devices', 'route_devices', 'forward'].flatMap(chainFlushed),
  ...['check_source', 'output'].map(chainFlushedUntold),
  ...clockFaults,
  ...atBoth('endpoint'),
  ...wireFaults,
  ...neighbourFaults,
  ...hostileFaults,
  ...crowdFaults,
];
