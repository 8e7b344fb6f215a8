// `iotshaper attack watch`: whether the wire tells what devices do, watched without end and looked at any time.
import { cpuUsage } from 'node:process';
import type { Command } from 'commander';
import { seededRandom } from '../../core/random/random.ts';
import { readActivity, readTunnel } from '../../shell/analysis/audit-capture.ts';
import { recordLive } from '../../shell/analysis/live-capture.ts';
import type { Context } from '../../shell/cli/context.ts';
import { Failure, usageFailure } from '../../shell/cli/failure.ts';
import { numberBetween, parseList, parsePort, parseSeed } from '../../shell/cli/number-options.ts';
import { BATCH_S, cutBatches } from '../analysis/running/batches.ts';
import { RunningAudit, type RunningBatch } from '../analysis/running/running-audit.ts';
import { renderRunning } from '../analysis/running/running-text.ts';

interface Options {
  wire?: string;
  activity?: string;
  wan?: string;
  lan?: string[];
  device?: string[];
  port?: number;
  home?: string;
  hours: number;
  error: number;
  seed: number;
}

const USUAL_PORT = 1194;
/** As `audit` has it. */
const LEAK = 1;

/** Adds `watch` to the command `attack`. */
export function registerAttackWatch(attack: Command, context: Context): void {
  attack
    .command('watch')
    .description(
      'test without end whether the wire tells what devices do: a line every ten minutes, each as trustworthy as the first',
    )
    .option('--wan <netdev>', 'record now: the netdev the tunnel leaves by')
    .option('--lan <netdevs>', 'the netdevs behind which the devices are, with commas', parseList)
    .option('--hours <n>', 'how long to record', numberBetween(0.5, 8760, 'h'), 24)
    .option('--wire <file>', "a long capture at the provider's side instead")
    .option('--activity <file>', 'and one of the devices inside the home, on the same clock')
    .option('--device <addresses>', 'count only these devices (MAC or IP, with commas)', parseList)
    .option('--port <n>', 'UDP port of the endpoint', parsePort)
    .option('--home <address>', "the home's address at the provider (guessed)")
    .option(
      '--error <share>',
      'how often a stream that depends on nothing may ever be called a leak',
      numberBetween(1e-6, 0.5),
      0.01,
    )
    .option('--seed <n>', 'seed of the moves', parseSeed, 1)
    .addHelpText('after', '\nIts state is in memory alone. Exit status: 0 no leak found, 1 leak.')
    .action((options: Options) => watch(context, options));
}

async function watch(context: Context, options: Options): Promise<void> {
  const { console } = context;
  const { error, seed } = options;
  const audit = new RunningAudit({ random: seededRandom(seed, 72), error });
  const before = cpuUsage();
  let cpuS = 0;
  let isAny = false;
  for await (const batch of openBatches(context, options)) {
    const started = cpuUsage();
    audit.add(batch);
    const { user, system } = cpuUsage(started);
    cpuS += (user + system) / 1e6;
    isAny = true;
    console.write(`${renderRunning(audit.state(), { error, cpuS })}\n`);
  }
  if (!isAny) {
    throw new Failure(`a recording of ${BATCH_S / 120} min at least is needed to say anything`);
  }
  const { user, system } = cpuUsage(before);
  console.write(
    `all in all ${((user + system) / 1e6).toFixed(1)} s of processor time, reading included\n`,
  );
  if (audit.state().foundAtHours !== null) console.setExitStatus(LEAK);
}

async function* openBatches(context: Context, options: Options): AsyncGenerator<RunningBatch> {
  const { wan, lan, wire, activity, port, home, device } = options;
  const { system, console } = context;
  const devices = device?.map((address) => address.toLowerCase());
  if (wan) {
    if (!lan) throw usageFailure('--wan needs --lan: the netdevs behind which the devices are');
    yield* recordBatches(context, wan, { lan, ...(devices ? { devices } : {}) }, options);
    return;
  }
  if (!wire || !activity) {
    throw usageFailure(
      'give --wan and --lan (netdevs to record), or --wire and --activity (captures)',
    );
  }
  const warn = (message: string) => console.writeError(`warning: ${message}\n`);
  const tunnel = await readTunnel(
    system,
    wire,
    { ...(port === undefined ? {} : { port }), ...(home === undefined ? {} : { home }) },
    warn,
  );
  yield* cutBatches(tunnel.data, await readActivity(system, activity, devices, warn));
}

/** One batch is in memory at a time; between two some packets go by unseen, which neither tells nor hides anything. */
async function* recordBatches(
  { system, console }: Context,
  wan: string,
  activity: { lan: string[]; devices?: string[] },
  { hours, port }: Options,
): AsyncGenerator<RunningBatch> {
  const interruption = new AbortController();
  const cancel = console.onSignal('SIGINT', () => interruption.abort());
  const endMs = system.clock.monotonicMs() + hours * 3_600_000;
  try {
    while (!interruption.signal.aborted && system.clock.monotonicMs() < endMs) {
      const recording = await recordLive(system, {
        wan,
        port: port ?? USUAL_PORT,
        activity,
        seconds: BATCH_S,
        signal: interruption.signal,
      });
      yield* cutBatches(recording.tunnel.data, recording.activity, BATCH_S + 60);
    }
  } finally {
    cancel();
  }
}
