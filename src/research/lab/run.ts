// One run of the lab: builds the network, brings a variant up, lets devices talk, captures, sums up, leaves nothing.
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isMode } from '../../core/pacing/modes.ts';
import { renderJson } from '../../core/text/json.ts';
import { openCapture } from '../../shell/capture/reader.ts';
import { nodeSystem } from '../../shell/system/node/node-system.ts';
import { startCapture } from './bed/capture.ts';
import { Cleanup } from './bed/cleanup.ts';
import { readDrops, startDropping } from './bed/dropping.ts';
import { startLoops } from './bed/loops.ts';
import { buildNetwork } from './bed/namespaces.ts';
import type { LabProcess } from './bed/processes.ts';
import { processTimes, timesBetween } from './bed/processor-time.ts';
import { readVersions, requireTools } from './bed/tools.ts';
import { lab, planTopology, type Topology } from './bed/topology.ts';
import type { DevicePlan } from './emulators/plan.ts';
import { LabError } from './error.ts';
import { observeHome, observeProvider } from './findings/observation.ts';
import { type LabSummary, summarise } from './findings/summary.ts';
import type { LabOptions, LabProgress } from './options.ts';
import { renderDelays } from './traffic/delays-csv.ts';
import { planLoad } from './traffic/loads.ts';
import { captureQueues } from './traffic/queue-delays.ts';
import { planReplay, type Replay } from './traffic/replay.ts';
import { startDevices, startServers } from './traffic/traffic.ts';
import { type Delay, joinDelays, monotonicMs, type TrafficLog } from './traffic/traffic-log.ts';
import { startBlocking } from './variants/block.ts';
import { startPaper } from './variants/paper.ts';
import { startPlainTunnel } from './variants/plain-tunnel.ts';
import { startShaped } from './variants/shaped.ts';
import { type StartedVariant, type VariantContext, withoutTunnel } from './variants/variant.ts';

/** Time for the lab's own processes to start and listen. */
const leadMs = 1_500;
/** Time for what is under way to arrive once devices have fallen silent. */
const drainMs = 2_000;

/**
 * Runs one variant and leaves `provider.pcap`, `device.pcap`, `endpoint.pcap` (where there is an endpoint: its line without
 * the tunnel), `events.csv`, `delays.csv` and `summary.json` in `options.out`; namespaces, processes and files elsewhere are gone when it returns or throws.
 *
 * @throws {LabError} what a user can mend
 * @throws the signal's reason when interrupted
 */
export async function runLab(
  options: LabOptions,
  progress: LabProgress,
  signal: AbortSignal,
): Promise<LabSummary> {
  await requireTools();
  const cleanup = new Cleanup((fault) =>
    progress.warn(`while cleaning up: ${(fault as Error).message}`),
  );
  try {
    await mkdir(options.out, { recursive: true });
    const logFolder = join(options.out, 'logs');
    await rm(logFolder, { recursive: true, force: true });
    await mkdir(logFolder);
    const workFolder = await mkdtemp(join(tmpdir(), 'iotlab-'));
    await chmod(workFolder, 0o711); // OpenVPN at the endpoint is root no longer
    cleanup.add(() => rm(workFolder, { recursive: true, force: true }));
    return await runIn({ workFolder, logFolder, options, cleanup, progress, signal });
  } finally {
    await cleanup.run();
  }
}

async function runIn(base: Omit<VariantContext, 'topology'>): Promise<LabSummary> {
  const { options, progress, signal, cleanup, logFolder } = base;
  const replay = options.replay && (await readReplay(options.replay, options.seconds));
  const plan: DevicePlan = replay
    ? { exchanges: [], events: [], activities: [] }
    : planLoad({
        ...options,
        load: options.load ?? 'household',
        durationS: options.seconds,
        alternateS: options.alternateS ?? undefined,
      });

  progress.step('building the network');
  const replayMac = options.replay?.device.includes(':') ? options.replay.device : null;
  const topology = planTopology({
    id: options.id,
    ipv6: options.ipv6,
    replayMac,
    crowd: options.load === 'crowd',
  });
  await buildNetwork(topology, cleanup);
  signal.throwIfAborted();
  const context: VariantContext = { ...base, topology };
  // Captures come first: the tunnel's handshake is in them too.
  const captures = await startCaptures(context);
  const started = await startVariant(context);
  if (replay && isShaped(options)) captures.push(...(await captureQueues(context)));
  if (options.dropPercent > 0) await startDropping(context, started);

  const startMs = monotonicMs() + leadMs;
  const unixOffsetMs = performance.timeOrigin + performance.now() - monotonicMs();
  const traffic = { context, plan, replay, logFolder, startMs };
  const servers = await startServers(traffic);
  const devices = await startDevices(traffic);
  const loops = options.busyRouter ? [await startLoops(context, plan.activities, startMs)] : [];
  await delay(Math.max(startMs - monotonicMs(), 0), undefined, { signal });

  const before = await readTimes(started);
  await watch(
    options.seconds,
    [...started.home, ...started.endpoint, devices, ...loops, ...servers],
    context,
  );
  const after = await readTimes(started);
  const service = await started.readStatus();
  const txDropped = await started.readTxDropped();
  progress.step('letting the last packets arrive');
  await delay(drainMs, undefined, { signal });

  await Promise.all([devices, ...loops, ...servers].map((child) => child.finish()));
  const captureDrops = (await Promise.all(captures.map((capture) => capture.stop()))).reduce(
    (a, b) => a + b,
  );
  progress.step('summing up');
  const droppedByProvider = await readDrops(context);
  const logs = await readLogs(context);
  const delays = joinDelays(logs.devices, logs.cloud, unixOffsetMs);
  const startS = (startMs + unixOffsetMs) / 1000;
  const provider = await observeProvider(
    openCapture(nodeSystem, join(options.out, 'provider.pcap')),
    started,
  );
  const home = await observeHome(openCapture(nodeSystem, join(options.out, 'device.pcap')));
  const summary = summarise({
    options,
    startS,
    provider,
    home,
    delays,
    tunnelPort: started.tunnelPort,
    expected:
      started.expectedKBps === null
        ? null
        : { pps: started.expectedPps, kBps: started.expectedKBps },
    droppedByProvider,
    replay: replay && {
      capture: options.replay!.path,
      device: options.replay!.device,
      offsetS: replay.offsetS,
      packets: replay.packets.length,
    },
    cpuPercent: started.home.length > 0 ? cpuPercent(before, after) : null,
    txDropped,
    captureDrops,
    faults: [...new Set([...logs.devices.faults, ...logs.cloud.faults])],
    versions: await readVersions(),
    service,
  });
  await writeOutputs(options.out, plan, delays, startS, topology, summary);
  return summary;
}

function startVariant(context: VariantContext): Promise<StartedVariant> {
  switch (context.options.variant) {
    case 'unprotected':
      return Promise.resolve(withoutTunnel);
    case 'block':
      return startBlocking(context);
    case 'vpn':
      return startPlainTunnel(context);
    case 'paper':
      return startPaper(context);
    default:
      return startShaped(context);
  }
}

/** Whether the replayed device talks through this program's own queues. */
function isShaped({ variant }: LabOptions): boolean {
  return isMode(variant);
}

async function readReplay(
  { path, device, offsetS }: NonNullable<LabOptions['replay']>,
  durationS: number,
): Promise<Replay> {
  return planReplay(openCapture(nodeSystem, path), { device, durationS, offsetS, name: path });
}

async function startCaptures({ topology, options, logFolder, signal, cleanup }: VariantContext) {
  const { provider, router } = topology.names;
  return [
    await startCapture({
      netns: provider,
      netdev: 'home',
      path: join(options.out, 'provider.pcap'),
      logPath: join(logFolder, 'tcpdump-provider.log'),
      signal,
      cleanup,
    }),
    await startCapture({
      netns: router,
      netdev: 'br-iot',
      path: join(options.out, 'device.pcap'),
      logPath: join(logFolder, 'tcpdump-device.log'),
      signal,
      cleanup,
    }),
    ...(hasEndpoint(options)
      ? [
          await startCapture({
            netns: provider,
            netdev: 'vps',
            path: join(options.out, 'endpoint.pcap'),
            logPath: join(logFolder, 'tcpdump-endpoint.log'),
            filter: `not arp and not host ${lab.homeAddress}`,
            signal,
            cleanup,
          }),
        ]
      : []),
  ];
}

/** Whether devices' packets leave by the endpoint: its line then carries them, beside the tunnel, as the Internet sees them. */
function hasEndpoint({ variant }: LabOptions): boolean {
  return variant !== 'unprotected' && variant !== 'block';
}

/** Lets the run go on for its time, tells how far it is, and ends it when a process it needs has ended. */
async function watch(
  seconds: number,
  processes: readonly LabProcess[],
  { progress, signal }: VariantContext,
): Promise<void> {
  const failed = Promise.race(processes.map(async (child) => new LabError(await child.ended)));
  for (let elapsed = 0; elapsed < seconds; elapsed++) {
    progress.tick(elapsed, seconds);
    const waited = delay(Math.min(1, seconds - elapsed) * 1000, null, { signal });
    const fault = await Promise.race([waited, failed]);
    if (fault) {
      waited.catch(() => {});
      throw fault;
    }
  }
  progress.tick(seconds, seconds);
}

interface Times {
  atMs: number;
  home: Map<number, number>[];
  endpoint: Map<number, number>[];
}

async function readTimes({ home, endpoint }: StartedVariant): Promise<Times> {
  const read = (processes: LabProcess[]) =>
    Promise.all(processes.map(({ pid }) => processTimes(pid)));
  return { atMs: monotonicMs(), home: await read(home), endpoint: await read(endpoint) };
}

function cpuPercent(before: Times, after: Times): { home: number; endpoint: number } {
  const percent = (end: 'home' | 'endpoint') => {
    const used = after[end].map((times, index) => timesBetween(before[end][index]!, times));
    return (used.reduce((a, b) => a + b, 0) / (after.atMs - before.atMs)) * 100_000;
  };
  return { home: percent('home'), endpoint: percent('endpoint') };
}

async function readLogs({
  workFolder,
}: VariantContext): Promise<{ devices: TrafficLog; cloud: TrafficLog }> {
  const read = async (name: string): Promise<TrafficLog> =>
    JSON.parse(await readFile(join(workFolder, name), 'utf8'));
  return { devices: await read('devices.json'), cloud: await read('cloud.json') };
}

async function writeOutputs(
  out: string,
  plan: DevicePlan,
  delays: readonly Delay[],
  startS: number,
  topology: Topology,
  summary: LabSummary,
): Promise<void> {
  const known = new Set(topology.devices.map(({ id }) => id));
  const events = plan.events
    .filter(({ device }) => known.has(device))
    .map(({ atS, device, event }) => `${(startS + atS).toFixed(6)},${device},${event}`);
  await writeFile(join(out, 'events.csv'), `${['time,device,event', ...events].join('\n')}\n`);
  await writeFile(join(out, 'delays.csv'), renderDelays(delays));
  await writeFile(join(out, 'summary.json'), renderJson(summary));
}
