// Starts the two sides of the emulated traffic: devices in the home, servers in the lab's Internet or on the LAN.
import { join } from 'node:path';
import type { DevicesConfig, ReplaySide, ServersConfig } from '../bed/process-config.ts';
import { type LabProcess, ownArgv, startProcess } from '../bed/processes.ts';
import { cloudAddresses, lab, type Place } from '../bed/topology.ts';
import type { DevicePlan } from '../emulators/plan.ts';
import type { VariantContext } from '../variants/variant.ts';
import type { Replay } from './replay.ts';

/** A load does not wait for names, whose answers stand in the queue that it fills. */
const KEPT_NAMES = { cacheMs: 86_400_000 };

export interface TrafficContext {
  context: VariantContext;
  plan: DevicePlan;
  replay: Replay | null;
  logFolder: string;
  /** Monotonic clock. */
  startMs: number;
}

/** The devices' side, which logs to `devices.json` in the work folder. */
export function startDevices(traffic: TrafficContext): Promise<LabProcess> {
  const { context, plan, startMs } = traffic;
  const config: DevicesConfig = {
    startMs,
    devices: context.topology.devices.map(({ id, ip }) => ({ id, ip })),
    exchanges: plan.exchanges,
    // As DHCP tells them: the router. In the placebo a port of its own, so that nothing asks through the tunnel.
    dns: {
      address: lab.lanAddress,
      port: staysInLan(context) ? lab.sinkDnsPort : 53,
      ...(isHousehold(context) ? {} : KEPT_NAMES),
    },
    replay: replaySide(traffic, 'up'),
    logPath: join(context.workFolder, 'devices.json'),
  };
  return startLabProcess(context, 'devices', 'emulate', 'devices', config);
}

/** The servers' side, which logs to `cloud.json` in the work folder; first in the list is the one devices talk to. */
export async function startServers(traffic: TrafficContext): Promise<LabProcess[]> {
  const { context, startMs, plan } = traffic;
  const names = Object.fromEntries(cloudAddresses());
  const idle = { startMs, listen: [], dns: null, forwarder: null, replay: null };
  const cloudDns = { address: lab.dnsAddress, port: 53, answers: names };
  const forwarder = { address: lab.lanAddress, upstream: lab.dnsAddress };
  const logPath = join(context.workFolder, 'cloud.json');
  const unusedLog = join(context.workFolder, 'unused.json');
  const replay = replaySide(traffic, 'down');

  if (staysInLan(context)) {
    const toSink = Object.fromEntries(Object.keys(names).map((name) => [name, lab.sinkAddress]));
    const sink: ServersConfig = {
      ...idle,
      listen: [{ address: lab.sinkAddress, ...allPorts(plan) }],
      dns: { address: lab.sinkAddress, port: lab.sinkDnsPort, answers: toSink },
      forwarder,
      replay,
      logPath,
    };
    const cloud: ServersConfig = { ...idle, dns: cloudDns, logPath: unusedLog };
    return [
      await startLabProcess(context, 'router', 'servers', 'sink', sink),
      await startLabProcess(context, 'cloud', 'servers', 'cloud', cloud),
    ];
  }
  const cloud: ServersConfig = { ...idle, listen: listeners(plan), dns: cloudDns, replay, logPath };
  const resolver: ServersConfig = { ...idle, forwarder, logPath: unusedLog };
  return [
    await startLabProcess(context, 'cloud', 'servers', 'cloud', cloud),
    await startLabProcess(context, 'router', 'servers', 'router-dns', resolver),
  ];
}

function isHousehold({ options: { load = 'household' } }: VariantContext): boolean {
  return load === 'household';
}

function staysInLan({ options }: VariantContext): boolean {
  return options.variant === 'placebo';
}

function replaySide(
  { context, replay }: TrafficContext,
  direction: 'up' | 'down',
): ReplaySide | null {
  if (!replay) return null;
  return {
    address: staysInLan(context) ? lab.sinkAddress : lab.replayAddress,
    port: lab.replayPort,
    deviceIp: context.topology.devices.find(({ id }) => id === 'replay')!.ip,
    packets: replay.packets.filter((packet) => packet.direction === direction),
  };
}

function allPorts({ exchanges }: DevicePlan): { tcp: number[]; udp: number[] } {
  const ports = (protocol: 'tcp' | 'udp') => [
    ...new Set(
      exchanges.filter((exchange) => exchange.protocol === protocol).map(({ port }) => port),
    ),
  ];
  return { tcp: ports('tcp'), udp: ports('udp') };
}

/** One address a name, listening on the ports the plan uses there. */
function listeners({ exchanges }: DevicePlan): ServersConfig['listen'] {
  return [...cloudAddresses()]
    .map(([name, address]) => ({
      address,
      ...allPorts({
        exchanges: exchanges.filter((exchange) => exchange.name === name),
        events: [],
        activities: [],
      }),
    }))
    .filter(({ tcp, udp }) => tcp.length + udp.length > 0);
}

async function startLabProcess(
  { topology, logFolder, cleanup }: VariantContext,
  place: Place,
  command: 'emulate' | 'servers',
  name: string,
  config: DevicesConfig | ServersConfig,
): Promise<LabProcess> {
  const child = await startProcess({
    argv: ownArgv('lab', command),
    netns: topology.names[place],
    core: 'emulation',
    logPath: join(logFolder, `${name}.log`),
    input: `${JSON.stringify(config)}\n`,
  });
  cleanup.add(() => child.stop());
  return child;
}
