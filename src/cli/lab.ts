// The command line of the lab: `lab run`, `lab demo`, and what the lab starts of itself in its namespaces.
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CaptureError } from '../capture/error.ts';
import { runDemo } from '../lab/demo.ts';
import { runDevices } from '../lab/devices.ts';
import { LabError } from '../lab/error.ts';
import { type LabOptions, labDefaults, type Variant, variants } from '../lab/options.ts';
import { createProgress } from '../lab/progress.ts';
import { runLab } from '../lab/run.ts';
import { runServers } from '../lab/servers.ts';
import { renderSummary } from '../lab/table.ts';
import { runCover } from '../lab/variants/paper.ts';
import { CommandError } from '../system/command.ts';

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
      new Option('--variant <variant>', 'how the home is protected')
        .choices(variants)
        .makeOptionMandatory(),
    )
    .requiredOption(
      '--out <folder>',
      'folder for captures, events.csv, delays.csv and summary.json',
    )
    .option('--seconds <s>', 'how long devices talk', number(1, 86_400), labDefaults.seconds)
    .option('--rate <KBps>', 'KB/s in each direction', number(0.25, 10_000), labDefaults.rateKBps)
    .option(
      '--packet-size <bytes>',
      'bytes of every IP packet on the tunnel',
      whole(256, 1400),
      labDefaults.packetBytes,
    )
    .option(
      '--interval-sd <percent>',
      'vit: standard deviation of the interval',
      number(1, 40),
      labDefaults.intervalSdPercent,
    )
    .option('--seed <n>', 'same seed, same activity', whole(0, 2 ** 31 - 1), labDefaults.seed)
    .option(
      '--alternate <s>',
      'all devices idle and active in turn, for so long each',
      number(0.5, 3600),
    )
    .option('--replay <capture>', 'play a real capture in place of the emulated devices')
    .option('--device <mac|ip>', 'whose traffic in the capture', deviceAddress)
    .option(
      '--offset <s>',
      'where in the capture to begin (default: where most bytes are)',
      number(0, 1e9),
    )
    .option(
      '--drop <percent>',
      "share of the tunnel's datagrams the provider loses",
      number(0, 50),
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
        process.stdout.write(
          flags.json ? `${JSON.stringify(summary, null, 2)}\n` : renderSummary(summary),
        );
      }),
    );

  command
    .command('demo')
    .description(
      'the same household five times, from unprotected to shaped, with a table and a report',
    )
    .option('--out <folder>', 'folder for the report and every run', 'out/demo')
    .option('--seconds <s>', 'how long devices talk in each variant', number(5, 3600), 30)
    .option('--rate <KBps>', 'KB/s in each direction', number(0.25, 10_000), labDefaults.rateKBps)
    .option(
      '--packet-size <bytes>',
      'bytes of every IP packet on the tunnel',
      whole(256, 1400),
      labDefaults.packetBytes,
    )
    .option('--seed <n>', 'same seed, same activity', whole(0, 2 ** 31 - 1), labDefaults.seed)
    .option('--id <id>', "part of the namespaces' names", labId, defaultId())
    .action((flags: DemoFlags) =>
      withInterrupts((signal) =>
        runDemo(
          {
            out: resolve(flags.out),
            seconds: flags.seconds,
            rateKBps: flags.rate,
            packetBytes: flags.packetSize,
            seed: flags.seed,
            id: flags.id,
          },
          { stdout: process.stdout, stderr: process.stderr },
          signal,
        ),
      ),
    );

  command.command('emulate', { hidden: true }).action(() => runDevices());
  command.command('servers', { hidden: true }).action(() => runServers());
  command
    .command('cover <peer> <packetBytes> <rateKBps>', { hidden: true })
    .action((peer: string, packetBytes: string, rateKBps: string) =>
      runCover(peer, Number(packetBytes), Number(rateKBps)),
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
  alternate?: number;
  replay?: string;
  device?: string;
  offset?: number;
  drop: number;
  ipv6: boolean;
  id: string;
  json: boolean;
}

interface DemoFlags {
  out: string;
  seconds: number;
  rate: number;
  packetSize: number;
  seed: number;
  id: string;
}

function toOptions(flags: RunFlags): LabOptions {
  if (flags.replay !== undefined && flags.device === undefined) {
    throw new LabError('--replay needs --device: the MAC or address of a device in the capture');
  }
  if (flags.replay === undefined && (flags.device !== undefined || flags.offset !== undefined)) {
    throw new LabError(
      '--device and --offset say what to play of a capture: give --replay as well',
    );
  }
  if (flags.drop > 0 && flags.variant === 'unprotected') {
    throw new LabError('--drop: the variant "unprotected" has no tunnel to drop datagrams of');
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
    alternateS: flags.alternate ?? null,
    dropPercent: flags.drop,
    ipv6: flags.ipv6,
    id: flags.id,
  };
}

/** Runs `action` with a signal that SIGINT and SIGTERM abort, so that everything made is removed before the end. */
async function withInterrupts(action: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  let interruptedBy: NodeJS.Signals | null = null;
  const interrupt = (name: NodeJS.Signals) => {
    if (!interruptedBy) process.stderr.write(`\n${name}: removing what the lab made\n`);
    interruptedBy ??= name;
    controller.abort(new LabError(`interrupted by ${name}`));
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, interrupt);
  try {
    await action(controller.signal);
  } catch (error) {
    process.exitCode = interruptedBy === 'SIGINT' ? 130 : interruptedBy ? 143 : 1;
    if (interruptedBy) return;
    if (
      error instanceof LabError ||
      error instanceof CommandError ||
      error instanceof CaptureError
    ) {
      process.stderr.write(`iotshaper lab: ${error.message}\n`);
      return;
    }
    throw error;
  } finally {
    for (const name of names) process.off(name, interrupt);
  }
}

function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= min && value <= max)) {
      throw new InvalidArgumentError(`must be a number between ${min} and ${max}.`);
    }
    return value;
  };
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`must be a whole number between ${min} and ${max}.`);
    }
    return value;
  };
}

function deviceAddress(text: string): string {
  const address = text.toLowerCase();
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$|^\d{1,3}(\.\d{1,3}){3}$/.test(address)) {
    throw new InvalidArgumentError('must be a MAC address (aa:bb:cc:dd:ee:ff) or an IPv4 address.');
  }
  return address;
}

function labId(text: string): string {
  if (!/^[a-z0-9]{1,16}$/.test(text)) {
    throw new InvalidArgumentError('must be 1 to 16 letters (a-z) and digits.');
  }
  return text;
}

function defaultId(): string {
  return process.pid.toString(36);
}
