// Looks at the machine that an endpoint is to run on: makes what it needs for a moment, and sends packets of its own through it.
import type { EndpointIdentity } from '../../core/endpoint/identity.ts';
import type {
  Examination,
  FirewallChain,
  KernelEvidence,
  Passage,
  UdpListener,
} from '../../core/endpoint/examination.ts';
import { type ProbeWay, probePacket } from '../../core/endpoint/probe-packet.ts';
import { DEVICE_MTU, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { INNER_NETDEV, insideRanges, resolver4 } from '../../core/plan/nft-endpoint.ts';
import { PROBE_TABLE, type Probe, readProbes, renderProbeTable } from '../../core/plan/nft-probe.ts';
import { ipJson } from '../network/ip-json.ts';
import { netdevExists, writeSysctl } from '../network/netdev.ts';
import { checkNft, deleteTable, loadNft } from '../network/nft.ts';
import { CommandError } from '../system/command.ts';
import { pause, type System } from '../system/system.ts';

/** A netdev that is there only while packets come in by it. */
const PROBE_NETDEV = 'iotprobe0';
/** Its other end; RFC 2544's range for tests, which nobody is reached by. */
const OUTSIDE = { ipv4: '198.18.213.2', ipv6: '2001:db8:213::2' };
const NEAR = { ipv4: '198.18.213.1/30', ipv6: '2001:db8:213::1/126' };
/** Addresses of the Internet; what is sent to them is dropped before it leaves. */
const INTERNET = { ipv4: '1.1.1.1', ipv6: '2606:4700:4700::1111' };
/** RFC 863. */
const DISCARD = 9;
/** Third byte of inner addresses that no home is given. */
const NO_HOME = 255;
const SETTLE_MS = 50;

export interface ExamineOptions {
  system: System;
  identity: EndpointIdentity;
  /** A folder that only root writes to. */
  runDir: string;
  /** Hands a packet to the netdev between homes and the Internet; null where no service runs, and it has to be made. */
  inject: ((packet: Uint8Array) => void) | null;
}

/** Looks at everything that {@link Examination} tells. Whatever it makes is gone when it resolves. */
export async function examine(options: ExamineOptions): Promise<Examination> {
  const { system, identity, inject } = options;
  const kernel = await examineKernel(system);
  const inside = insideRanges(identity);
  const ways = { ipv4: await findWay(system, '-4'), ipv6: await findWay(system, '-6') };
  const passed = Object.values(kernel).every((error) => error === null)
    ? await tryProbes(options, ways)
    : {};
  const passage = (name: string): Passage => passed[name] ?? null;
  return {
    kernel,
    isRunning: inject !== null,
    port: identity.port,
    listeners: await listListeners(system),
    reached: { ipv4: passage('in4'), ipv6: passage('in6') },
    forwarded: { ipv4: passage('through4'), ipv6: passage('through6') },
    hasInternet: ways.ipv4 !== null || ways.ipv6 !== null,
    chains: await listChains(system),
    prefixes: await listPrefixes(system),
    inside,
    resolver: resolver4(identity),
  };
}

/** What the kernel says to a tun netdev, HTB on it, and a table; each is made and removed. */
export async function examineKernel(system: System): Promise<KernelEvidence> {
  const tun = await complaint(system, ['ip', 'tuntap', 'add', 'dev', PROBE_NETDEV, 'mode', 'tun']);
  const queue = ['qdisc', 'add', 'dev', PROBE_NETDEV, 'root', 'handle', '1:', 'htb'];
  const htb = tun === null ? await complaint(system, ['tc', ...queue]) : null;
  if (tun === null) await removeProbeNetdev(system);
  return { tun, htb, nft: await nftComplaint(system) };
}

async function complaint(
  { processes }: Pick<System, 'processes'>,
  argv: readonly string[],
): Promise<string | null> {
  try {
    await processes.run(argv);
    return null;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error.stderr.trim().split('\n')[0] || error.message;
  }
}

async function nftComplaint(system: System): Promise<string | null> {
  const text = `table inet ${PROBE_TABLE} { chain probe { type filter hook forward priority 0; ct state new counter; }; }\n`;
  try {
    return (await checkNft(system, text))?.split('\n')[0] ?? null;
  } catch (error) {
    return (error as Error).message;
  }
}

async function removeProbeNetdev(system: System): Promise<void> {
  await complaint(system, ['ip', 'link', 'delete', 'dev', PROBE_NETDEV]);
}

/** The address by which this machine is on the Internet; null where it is not. */
async function findWay(system: System, family: '-4' | '-6'): Promise<string | null> {
  const destination = family === '-4' ? INTERNET.ipv4 : INTERNET.ipv6;
  try {
    const [route] = await ipJson<{ prefsrc?: string }>(system, [family, 'route', 'get', destination]);
    return route?.prefsrc ?? null;
  } catch {
    return null;
  }
}

/** Sends one packet each way and family there is; what became of it, by the probe's name. */
async function tryProbes(
  options: ExamineOptions,
  ways: { ipv4: string | null; ipv6: string | null },
): Promise<Record<string, Passage>> {
  const { system, identity } = options;
  const probes: Probe[] = [];
  const add = (name: string, hook: Probe['hook'], way: ProbeWay): void => {
    probes.push({ name, hook, netdev: hook === 'in' ? PROBE_NETDEV : INNER_NETDEV, ...way });
  };
  const { innerNet, innerNet6, port } = identity;
  if (ways.ipv4 !== null) {
    add('in4', 'in', { source: OUTSIDE.ipv4, destination: ways.ipv4, port });
    const source = `${innerNet}.${NO_HOME}.1`;
    add('through4', 'through', { source, destination: INTERNET.ipv4, port: DISCARD });
  }
  if (ways.ipv6 !== null) {
    add('in6', 'in', { source: OUTSIDE.ipv6, destination: ways.ipv6, port });
    const source = `${innerNet6}:${NO_HOME.toString(16)}::1`;
    add('through6', 'through', { source, destination: INTERNET.ipv6, port: DISCARD });
  }
  if (probes.length === 0) return {};
  try {
    await loadNft(system, renderProbeTable(probes));
    await makeNetdev(system, PROBE_NETDEV, [NEAR.ipv4, ...(ways.ipv6 === null ? [] : [NEAR.ipv6])]);
    for (const probe of probes.filter(({ hook }) => hook === 'in'))
      await send(options, PROBE_NETDEV, probePacket(probe));
    await sendThrough(
      options,
      probes.filter(({ hook }) => hook === 'through'),
    );
    await pause(system.timers, SETTLE_MS);
    return readProbes(await loadNft(system, `list table inet ${PROBE_TABLE}\n`), probes);
  } finally {
    await removeProbeNetdev(system);
    await deleteTable(system, PROBE_TABLE);
  }
}

/** By the netdev that stands, or by one of that name which stands for a moment. */
async function sendThrough(options: ExamineOptions, probes: readonly Probe[]): Promise<void> {
  const { system, identity, inject } = options;
  if (inject !== null) {
    for (const probe of probes) inject(probePacket(probe));
    return;
  }
  // A service that runs holds it; what is tried there it tries itself.
  if (netdevExists(system, INNER_NETDEV)) return;
  const { innerNet, innerNet6 } = identity;
  const hasSix = probes.some(({ source }) => source.includes(':'));
  try {
    const addresses = [`${innerNet}.0.1/16`, ...(hasSix ? [`${innerNet6}::1/48`] : [])];
    await makeNetdev(system, INNER_NETDEV, addresses);
    await writeSysctl(system, `net/ipv4/conf/${INNER_NETDEV}/forwarding`, '1');
    for (const probe of probes.filter(({ source }) => !source.includes(':')))
      await send(options, INNER_NETDEV, probePacket(probe));
    // IPv6 forwards by the switch of all netdevs, which is not ours before the service runs.
  } finally {
    await complaint(system, ['ip', 'link', 'delete', 'dev', INNER_NETDEV]);
  }
}

async function makeNetdev(
  system: System,
  netdev: string,
  addresses: readonly string[],
): Promise<void> {
  const { processes } = system;
  await processes.run(['ip', 'tuntap', 'add', 'dev', netdev, 'mode', 'tun']);
  await processes.run(['ip', 'link', 'set', 'dev', netdev, 'mtu', `${DEVICE_MTU}`, 'up']);
  for (const address of addresses) {
    const words = address.includes(':') ? ['nodad'] : [];
    await complaint(system, ['ip', 'addr', 'add', address, 'dev', netdev, ...words]);
  }
}

/** Hands one packet to a tun netdev that nobody else holds. */
async function send(
  { system, runDir }: ExamineOptions,
  netdev: string,
  packet: Uint8Array,
): Promise<void> {
  const path = `${runDir}/${netdev}.packet`;
  await system.files.write(path, packet);
  const tun = `TUN,tun-name=${netdev},iff-no-pi,iff-up`;
  await complaint(system, ['socat', '-u', `OPEN:${path},rdonly`, tun]);
  await system.files.remove(path);
}

/** Who listens on UDP ports, without our own programs' own addresses. */
async function listListeners({ processes }: Pick<System, 'processes'>): Promise<UdpListener[]> {
  try {
    const { stdout } = await processes.run(['ss', '-Hlunp']);
    return stdout.split('\n').flatMap((line) => {
      const match = /^\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+\s*(?:users:\(\("([^"]+)")?/.exec(line);
      if (!match) return [];
      const address = match[1]!.replace(/^\[|\]$|%.*$/g, '');
      return [{ address, port: Number(match[2]), program: match[3] ?? '' }];
    });
  } catch {
    return [];
  }
}

/** Chains of every table but our own. */
async function listChains({ processes }: Pick<System, 'processes'>): Promise<FirewallChain[]> {
  try {
    const { stdout } = await processes.run(['nft', '-j', 'list', 'chains']);
    const { nftables } = JSON.parse(stdout) as {
      nftables: { chain?: Omit<FirewallChain, 'hook' | 'policy'> & Partial<FirewallChain> }[];
    };
    return nftables.flatMap(({ chain }) =>
      !chain || chain.table.startsWith('iotshaper')
        ? []
        : [
            {
              family: chain.family,
              table: chain.table,
              name: chain.name,
              hook: chain.hook ?? null,
              policy: chain.policy ?? null,
            },
          ],
    );
  } catch {
    return [];
  }
}

/** Networks this machine is in, and those it has routes to. */
async function listPrefixes(system: System): Promise<{ prefix: string; netdev: string }[]> {
  const rows = [
    ...(await ipJson<{ dst: string; dev?: string }>(system, ['-4', 'route', 'show', 'table', 'main'])),
    ...(await ipJson<{ dst: string; dev?: string }>(system, ['-6', 'route', 'show', 'table', 'main'])),
  ];
  const ours = [TUNNEL_NETDEV, INNER_NETDEV, PROBE_NETDEV];
  return rows.flatMap(({ dst, dev }) =>
    dst === 'default' || dev === undefined || ours.includes(dev) ? [] : [{ prefix: dst, netdev: dev }],
  );
}
