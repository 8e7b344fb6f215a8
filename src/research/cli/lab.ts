// The command line of the lab: `lab run`, `lab demo`, and what the lab starts of itself in its namespaces.

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { renderJson } from '../../core/text/json.ts';
import { usageFailure } from '../../shell/cli/failure.ts';
import {
  numberBetween,
  parsePacketBytes,
  parseRate,
  parseSd,
  parseSeed,
  sdHelp,
} from '../../shell/cli/number-options.ts';
import type { DeviceId } from '../devices/catalogue.ts';
import { runDevices } from '../lab/bed/devices.ts';
import { removeLeftovers } from '../lab/bed/leftovers.ts';
import { runLoops } from '../lab/bed/loops.ts';
import { runServers } from '../lab/bed/servers.ts';
import { requireTools } from '../lab/bed/tools.ts';
import { runDemo } from '../lab/demo.ts';
import type { CampaignOptions, Screens } from '../lab/findings/campaign.ts';
import { runCases } from '../lab/findings/cases.ts';
import { runDefences } from '../lab/findings/defences.ts';
import { renderSummary } from '../lab/findings/table.ts';
import { type LabOptions, labDefaults, type Variant, variants } from '../lab/options.ts';
import { createProgress } from '../lab/progress.ts';
import { runLab } from '../lab/run.ts';
import { type Load, loads } from '../lab/traffic/loads.ts';
import { runCover } from '../lab/variants/paper.ts';
import { defaultId, deviceAddress, deviceIds, labId, parseDevices } from './lab-arguments.ts';
import { withInterrupts } from './lab-interrupts.ts';
import { registerLabReading } from './lab-reading.ts';

const loadHelp = Object.entries(loads)
  .map(([load, words]) => `${load} (${words})`)
  .join(', ');

/** Adds `lab` and its commands. */
export function registerLab(program: Command): void {
  const command = program
    .command('lab')
    .description(
      'a home, its provider, an endpoint and an Internet in network namespaces (root, Linux)',
    );

  command
    .command('run')
    .description('let emulated devices talk for a while and see what their provider sees')
    .addOption(
      command
        .createOption('--variant <variant>', 'how the home is protected')
        .choices(variants)
        .makeOptionMandatory(),
    )
    .requiredOption(
      '--out <folder>',
      'folder for captures, events.csv, delays.csv and summary.json',
    )
    .option('--seconds <s>', 'how long devices talk', numberBetween(1, 86_400), labDefaults.seconds)
    .option('--rate <KBps>', 'KB/s in each direction', parseRate, labDefaults.rateKBps)
    .option(
      '--packet-size <bytes>',
      'bytes of every IP packet on the tunnel',
      parsePacketBytes,
      labDefaults.packetBytes,
    )
    .option('--interval-sd <percent>', sdHelp, parseSd, labDefaults.intervalSdPercent)
    .option('--seed <n>', 'same seed, same activity', parseSeed, labDefaults.seed)
    .option(
      '--devices <ids>',
      `only these emulated devices, with commas: ${deviceIds.join(', ')}`,
      parseDevices,
    )
    .option(
      '--alternate <s>',
      'all devices idle and active by turns of so long each, one of every two active, which one by chance',
      numberBetween(0.5, 3600),
    )
    .addOption(
      command
        .createOption('--load <load>', `what devices do: ${loadHelp}`)
        .choices(Object.keys(loads))
        .default('household'),
    )
    .option(
      '--busy-router',
      'have another program keep the router’s core busy while devices are active; needs --alternate',
      false,
    )
    .option('--replay <capture>', 'play a real capture in place of the emulated devices')
    .option('--device <mac|ip>', 'whose traffic in the capture', deviceAddress)
    .option(
      '--offset <s>',
      'where in the capture to begin (default: where most bytes are)',
      numberBetween(0, 1e9),
    )
    .option(
      '--drop <percent>',
      "share of the tunnel's datagrams the provider loses",
      numberBetween(0, 50),
      0,
    )
    .option('--ipv6', 'give provider, endpoint and Internet IPv6 too', false)
    .option('--id <id>', "part of the namespaces' names", labId, defaultId())
    .option('--json', 'print summary.json instead of a table', false)
    .action((flags: RunFlags) =>
      withInterrupts(async (signal) => {
        const options = toOptions(flags);
        const progress = createProgress(process.stderr, options.variant);
        const summary = await runLab(options, progress, signal).finally(() => progress.end());
        process.stdout.write(flags.json ? renderJson(summary) : renderSummary(summary));
      }),
    );

  addCampaign(
    command,
    'demo',
    'the same household five times, from unprotected to shaped, with a table and a report',
    30,
    runDemo,
  );
  addCampaign(
    command,
    'defences',
    "the paper's defences side by side: what each hides, and which devices die of it",
    30,
    runDefences,
  );
  addCampaign(
    command,
    'cases',
    'three households in which a VPN alone still tells, attacked through the VPN and shaped',
    60,
    runCases,
  );
  command
    .command('clean')
    .description('remove the namespaces that a lab left behind because it was killed')
    .action(() =>
      withInterrupts(async () => {
        await requireTools();
        const removed = await removeLeftovers();
        const said =
          removed.length === 0 ? 'Nothing was left behind.' : `Removed: ${removed.join(', ')}`;
        process.stdout.write(`${said}\n`);
      }),
    );
  registerLabReading(command);

  command.command('emulate', { hidden: true }).action(() => runDevices());
  command.command('servers', { hidden: true }).action(() => runServers());
  command.command('loops', { hidden: true }).action(() => runLoops());
  command
    .command('cover', { hidden: true })
    .argument('<peer>')
    .argument('<packetBytes>', '', parsePacketBytes)
    .argument('<rateKBps>', '', parseRate)
    .action((peer: string, packetBytes: number, rateKBps: number) =>
      runCover(peer, packetBytes, rateKBps),
    );
}

interface RunFlags {
  variant: Variant;
  out: string;
  seconds: number;
  rate: number;
  packetSize: number;
  intervalSd: number;
  seed: number;
  devices?: DeviceId[];
  alternate?: number;
  load: Load;
  busyRouter: boolean;
  replay?: string;
  device?: string;
  offset?: number;
  drop: number;
  ipv6: boolean;
  id: string;
  json: boolean;
}

/** Adds a command that runs the lab several times. */
function addCampaign(
  lab: Command,
  name: string,
  description: string,
  defaultSeconds: number,
  run: (options: CampaignOptions, screens: Screens, signal: AbortSignal) => Promise<void>,
): void {
  lab
    .command(name)
    .description(description)
    .option('--out <folder>', 'folder for every run', `out/${name}`)
    .option(
      '--seconds <s>',
      'how long devices talk in each run',
      numberBetween(5, 3600),
      defaultSeconds,
    )
    .option('--rate <KBps>', 'KB/s in each direction', parseRate, labDefaults.rateKBps)
    .option(
      '--packet-size <bytes>',
      'bytes of every IP packet on the tunnel',
      parsePacketBytes,
      labDefaults.packetBytes,
    )
    .option('--seed <n>', 'same seed, same activity', parseSeed, labDefaults.seed)
    .option('--id <id>', "part of the namespaces' names", labId, defaultId())
    .action((flags: CampaignFlags) =>
      withInterrupts((signal) => run(toCampaign(flags), process, signal)),
    );
}

interface CampaignFlags {
  out: string;
  seconds: number;
  rate: number;
  packetSize: number;
  seed: number;
  id: string;
}

function toCampaign({ out, rate, packetSize, ...flags }: CampaignFlags): CampaignOptions {
  return { ...flags, out: resolve(out), rateKBps: rate, packetBytes: packetSize };
}

function toOptions(flags: RunFlags): LabOptions {
  if (flags.replay !== undefined && flags.device === undefined) {
    throw usageFailure('--replay needs --device: the MAC or address of a device in the capture');
  }
  if (flags.replay === undefined && (flags.device !== undefined || flags.offset !== undefined)) {
    throw usageFailure(
      '--device and --offset say what to play of a capture: give --replay as well',
    );
  }
  if (flags.replay !== undefined && flags.devices !== undefined) {
    throw usageFailure('--devices chooses emulated devices, and --replay plays a capture instead');
  }
  if (flags.load !== 'household' && (flags.replay ?? flags.devices) !== undefined) {
    throw usageFailure('--load says what devices do: give neither --replay nor --devices with it');
  }
  if (flags.busyRouter && flags.alternate === undefined) {
    throw usageFailure('--busy-router goes by the turns of --alternate: give it as well');
  }
  if (flags.drop > 0 && (flags.variant === 'unprotected' || flags.variant === 'block')) {
    throw usageFailure(`--drop: the variant "${flags.variant}" has no tunnel to drop datagrams of`);
  }
  return {
    variant: flags.variant,
    seconds: flags.seconds,
    out: resolve(flags.out),
    rateKBps: flags.rate,
    packetBytes: flags.packetSize,
    intervalSdPercent: flags.intervalSd,
    seed: flags.seed,
    replay:
      flags.replay === undefined
        ? null
        : { path: flags.replay, device: flags.device!, offsetS: flags.offset ?? null },
    devices: flags.devices ?? null,
    alternateS: flags.alternate ?? null,
    load: flags.load,
    busyRouter: flags.busyRouter,
    dropPercent: flags.drop,
    ipv6: flags.ipv6,
    id: flags.id,
  };
}
