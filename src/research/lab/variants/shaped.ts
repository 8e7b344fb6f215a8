// iot-shaper itself at both ends, started as a user would start it.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultMode, isMode } from '../../../core/pacing/modes.ts';
import { TUNNEL_NETDEV } from '../../../core/plan/names.ts';
import { slotsPerSecond } from '../../../core/stream/stream.ts';
import { CommandError } from '../../../shell/system/command.ts';
import { run } from '../../../shell/system/node/processes.ts';
import { ownArgv, startProcess } from '../bed/processes.ts';
import { type LabDevice, lab } from '../bed/topology.ts';
import { waitUntil } from '../bed/wait.ts';
import { LabError } from '../error.ts';
import type { LabOptions } from '../options.ts';
import type { StartedVariant, VariantContext } from './variant.ts';

const startMs = 30_000;

/** Makes the endpoint, one profile for the home, starts both services and waits until they shape. */
export async function startShaped(context: VariantContext): Promise<StartedVariant> {
  const { topology, options, workFolder, logFolder, cleanup, progress, signal } = context;
  const { router, endpoint } = topology.names;
  const stateFolder = join(workFolder, 'endpoint');
  const runHome = join(workFolder, 'run-home');
  const profile = join(workFolder, 'home.ovpn');
  const config = join(workFolder, 'iotshaper');
  const state = ['--state-dir', stateFolder];

  progress.step('making the endpoint and a profile');
  await mkdir(runHome, { recursive: true });
  await run(ownArgv('endpoint', 'init', '--host', lab.endpointAddress, ...state), {
    netns: endpoint,
  });
  const { stdout } = await run(ownArgv('endpoint', 'add-home', 'lab', ...state), {
    netns: endpoint,
  });
  await writeFile(profile, stdout, { mode: 0o600 });
  await writeFile(config, renderHomeConfig(options, profile, topology.devices));

  progress.step('starting iot-shaper at both ends');
  const far = await startProcess({
    argv: ownArgv('endpoint', 'run', ...state, '--run-dir', join(workFolder, 'run-endpoint')),
    netns: endpoint,
    core: 'shaping',
    logPath: join(logFolder, 'endpoint.log'),
  });
  cleanup.add(() => far.stop());
  const near = await startProcess({
    argv: ownArgv(
      'run',
      '--config',
      config,
      '--run-dir',
      runHome,
      '--state-dir',
      join(workFolder, 'home'),
    ),
    netns: router,
    core: 'shaping',
    logPath: join(logFolder, 'home.log'),
  });
  cleanup.add(() => near.stop());
  const readStatus = () => readServiceStatus(router, runHome);
  await waitUntil({
    what: 'iot-shaper to shape',
    timeoutMs: startMs,
    everyMs: 200,
    signal,
    process: near,
    check: async () => {
      if (far.isEnded)
        throw new LabError(`${await far.ended}\n${await readFile(far.logPath, 'utf8')}`);
      return (await readStatus())?.state === 'shaping';
    },
  });
  return {
    tunnelPort: tunnelPort(await readFile(profile, 'utf8')),
    home: [near],
    endpoint: [far],
    expectedPps: slotsPerSecond(options),
    expectedKBps: options.rateKBps,
    readStatus,
    readTxDropped: async () => ({
      home: await readTxDropped(router),
      endpoint: await readTxDropped(endpoint),
    }),
  };
}

/** The home's configuration as UCI keeps it. */
export function renderHomeConfig(
  options: Pick<LabOptions, 'rateKBps' | 'packetBytes' | 'intervalSdPercent' | 'variant'>,
  profile: string,
  devices: readonly LabDevice[],
): string {
  const mode = isMode(options.variant) ? options.variant : defaultMode;
  const sections = devices.map(
    ({ name, mac }) => `config device\n\toption name '${name}'\n\toption mac '${mac}'\n`,
  );
  return `config iotshaper 'main'
	option enabled '1'
	option rate '${options.rateKBps}'
	option packet_size '${options.packetBytes}'
	option mode '${mode}'
	option interval_sd '${options.intervalSdPercent}'

config tunnel 'tunnel'
	option profile '${profile}'
	option interface 'iot0'

config network
	option device '${lab.bridge}'

${sections.join('\n')}`;
}

/** What the service says; null while it does not answer yet. */
async function readServiceStatus(
  netns: string,
  runFolder: string,
): Promise<{ state?: string } | null> {
  try {
    const { stdout } = await run(ownArgv('status', '--json', '--run-dir', runFolder), { netns });
    return JSON.parse(stdout);
  } catch (error) {
    if (error instanceof CommandError || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What the tunnel's netdev found no room for. */
async function readTxDropped(netns: string): Promise<number> {
  const { stdout } = await run([
    'ip',
    '-n',
    netns,
    '-j',
    '-s',
    'link',
    'show',
    'dev',
    TUNNEL_NETDEV,
  ]);
  const [link] = JSON.parse(stdout) as [{ stats64: { tx: { dropped: number } } }];
  return link.stats64.tx.dropped;
}

/** The port of a profile's `remote HOST PORT`. */
function tunnelPort(profile: string): number {
  const port =
    profile.match(/^\s*remote\s+\S+\s+(\d+)/m)?.[1] ?? profile.match(/^\s*port\s+(\d+)/m)?.[1];
  return port === undefined ? 1194 : Number(port);
}
