// Looks at the machine that an endpoint is to run on: makes what it needs for a moment, and sends packets of its own through it.
import { parseChainNames, parseForeignChains } from '../../core/delivery/foreign-chains.ts';
import type { Examination, KernelEvidence, Passage } from '../../core/endpoint/examination.ts';
import type { EndpointIdentity } from '../../core/endpoint/identity.ts';
import { type Ends, udpPacket } from '../../core/framing/ip-builder.ts';
import { DEVICE_MTU, DNS_PORT, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import {
  INNER_NETDEV,
  insideRanges,
  NO_HOME,
  resolver4,
  resolver6,
} from '../../core/plan/nft/nft-endpoint.ts';
import { TRIAL_NETDEVS } from '../../core/plan/nft/nft-endpoint-passage.ts';
import { type Probe, readProbes, renderProbeTable } from '../../core/plan/nft/nft-probe.ts';
import { listRules } from '../network/foreign-chains.ts';
import { ipJson } from '../network/ip-json.ts';
import { netdevExists, writeSysctl } from '../network/netdev.ts';
import { checkNft, deleteTable, loadNft } from '../network/nft.ts';
import { CommandError } from '../system/command.ts';
import { pause, type System } from '../system/system.ts';
import { tunAddress } from '../tunnel/packet-port.ts';
import { NOBODY, readHolders } from './resolver.ts';

/** What is made for a moment, by names and addresses of this process alone: several may look at once. */
function namesOf({ processes }: Pick<System, 'processes'>) {
  const { pid } = processes;
  // RFC 2544's and RFC 3849's ranges, in which nobody is.
  const net4 = `198.18.${pid % 256}`;
  const net6 = `2001:db8:${(pid % 65_536).toString(16)}`;
  return {
    netdev: `${TRIAL_NETDEVS}${pid}`,
    table: `iotshaper_probe_${pid}`,
    outside: { ipv4: `${net4}.2`, ipv6: `${net6}::2` },
    near: { ipv4: `${net4}.1/30`, ipv6: `${net6}::1/126` },
  };
}

/** Addresses of the Internet; what is sent to them is dropped before it leaves. */
const INTERNET = { ipv4: '1.1.1.1', ipv6: '2606:4700:4700::1111' };
/** RFC 863. */
const DISCARD = 9;
/**
 * What did not pass is tried again, with more time: the kernel makes an IPv6 address good in its own time, and on a busy machine a
 * packet may be there first. What a chain drops it drops each time.
 */
const SETTLE_MS = [50, 200, 500];

const NOTHING_LACKS: KernelEvidence = { tun: null, htb: null, nft: null };

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
  // A service that runs has all of it.
  const kernel = inject === null ? await examineKernel(system) : NOTHING_LACKS;
  const rules = await listRules(system);
  const resolver = resolver4(identity);
  const inside = insideRanges(identity);
  const ways = { ipv4: await findWay(system, '-4'), ipv6: await findWay(system, '-6') };
  const passed = Object.values(kernel).every((error) => error === null)
    ? await tryProbes(options, ways)
    : {};
  const passage = (name: string): Passage => passed[name] ?? null;
  return {
    kernel,
    port: identity.port,
    // While the service runs, those that listen at its own places are its own.
    portHolders: inject === null ? await readHolders(system, identity.port, null) : NOBODY,
    resolverHolders: await readHolders(system, DNS_PORT, inject === null ? resolver : ''),
    reached: { ipv4: passage('in4'), ipv6: passage('in6') },
    forwarded: { ipv4: passage('through4'), ipv6: passage('through6') },
    asked: { ipv4: passage('names4'), ipv6: passage('names6') },
    hasInternet: ways.ipv4 !== null || ways.ipv6 !== null,
    networkService: networkServiceOf(system),
    chains: parseChainNames(rules),
    suspects: parseForeignChains(rules),
    prefixes: await listPrefixes(system),
    inside,
    resolver,
  };
}

/** What the kernel says to a tun netdev, HTB on it, and a table; each is made and removed. */
export async function examineKernel(system: System): Promise<KernelEvidence> {
  const { netdev } = namesOf(system);
  const tun = await complaint(system, ['ip', 'tuntap', 'add', 'dev', netdev, 'mode', 'tun']);
  const queue = ['qdisc', 'add', 'dev', netdev, 'root', 'handle', '1:', 'htb'];
  const htb = tun === null ? await complaint(system, ['tc', ...queue]) : null;
  if (tun === null) await removeNetdev(system, netdev);
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
  const text = `table inet ${namesOf(system).table} { chain probe { type filter hook forward priority 0; ct state new counter; }; }\n`;
  try {
    return (await checkNft(system, text))?.split('\n')[0] ?? null;
  } catch (error) {
    return (error as Error).message;
  }
}

async function removeNetdev(system: System, netdev: string): Promise<void> {
  await complaint(system, ['ip', 'link', 'delete', 'dev', netdev]);
}

/** Who sets up this machine's network, as told by what each leaves there. */
function networkServiceOf({ files }: Pick<System, 'files'>): string {
  if (files.exists('/run/systemd/netif/links')) return 'systemd-networkd';
  return files.exists('/run/NetworkManager') ? 'NetworkManager' : 'networking';
}

/** The address by which this machine is on the Internet; null where it is not. */
async function findWay(system: System, family: '-4' | '-6'): Promise<string | null> {
  const destination = family === '-4' ? INTERNET.ipv4 : INTERNET.ipv6;
  try {
    const [route] = await ipJson<{ prefsrc?: string }>(system, [
      family,
      'route',
      'get',
      destination,
    ]);
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
  const { netdev, table, outside, near } = namesOf(system);
  const probes: Probe[] = [];
  const add = (name: string, hook: Probe['hook'], way: Ends & { port: number }): void => {
    const isInner = hook === 'through' || way.port === DNS_PORT;
    probes.push({ name, hook, netdev: isInner ? INNER_NETDEV : netdev, ...way });
  };
  const { innerNet, innerNet6, port } = identity;
  if (ways.ipv4 !== null) {
    add('in4', 'in', { source: outside.ipv4, destination: ways.ipv4, port });
    const source = `${innerNet}.${NO_HOME}.1`;
    add('through4', 'through', { source, destination: INTERNET.ipv4, port: DISCARD });
    add('names4', 'in', { source, destination: resolver4(identity), port: DNS_PORT });
  }
  if (ways.ipv6 !== null) {
    add('in6', 'in', { source: outside.ipv6, destination: ways.ipv6, port });
    const source = `${innerNet6}:${NO_HOME.toString(16)}::1`;
    add('through6', 'through', { source, destination: INTERNET.ipv6, port: DISCARD });
    add('names6', 'in', { source, destination: resolver6(identity)!, port: DNS_PORT });
  }
  if (probes.length === 0) return {};
  try {
    await loadNft(system, renderProbeTable(table, probes));
    await makeNetdev(system, netdev, [near.ipv4, ...(ways.ipv6 === null ? [] : [near.ipv6])]);
    let passed: ReturnType<typeof readProbes> = {};
    for (const settleMs of SETTLE_MS) {
      const left = probes.filter(({ name }) => passed[name] !== true);
      if (left.length === 0) break;
      for (const probe of left.filter((one) => one.netdev === netdev))
        await send(options, netdev, packetOf(probe));
      await sendInside(
        options,
        left.filter((one) => one.netdev === INNER_NETDEV),
      );
      await pause(system.timers, settleMs);
      passed = readProbes(await loadNft(system, `list table inet ${table}\n`), probes);
    }
    return passed;
  } finally {
    await removeNetdev(system, netdev);
    await deleteTable(system, table);
  }
}

function packetOf({ source, destination, port }: Probe): Uint8Array {
  const ports = { sourcePort: port, destinationPort: port };
  return udpPacket({ source, destination }, ports, new Uint8Array());
}

/** By the netdev that stands, or by one of that name which stands for a moment. */
async function sendInside(options: ExamineOptions, probes: readonly Probe[]): Promise<void> {
  const { system, identity, inject } = options;
  if (probes.length === 0) return;
  if (inject !== null) {
    for (const probe of probes) inject(packetOf(probe));
    return;
  }
  // A service that runs holds it; what is tried there it tries itself.
  if (netdevExists(system, INNER_NETDEV)) return;
  const hasSix = probes.some(({ source }) => source.includes(':'));
  try {
    const addresses = [
      `${resolver4(identity)}/16`,
      ...(hasSix ? [`${resolver6(identity)}/48`] : []),
    ];
    await makeNetdev(system, INNER_NETDEV, addresses);
    await writeSysctl(system, `net/ipv4/conf/${INNER_NETDEV}/forwarding`, '1');
    const isTried = ({ source, hook }: Probe): boolean => !source.includes(':') || hook === 'in';
    for (const probe of probes.filter(isTried)) await send(options, INNER_NETDEV, packetOf(probe));
    // IPv6 forwards by the switch of all netdevs, which is not ours before the service runs.
  } finally {
    await removeNetdev(system, INNER_NETDEV);
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
  await complaint(system, ['socat', '-u', `OPEN:${path},rdonly`, tunAddress(netdev)]);
  await system.files.remove(path);
}

interface Route {
  dst: string;
  dev?: string;
  type?: string;
}

const SHOW = ['route', 'show', 'table', 'main'];

/** Networks this machine is in, and those it has routes to. */
export async function listPrefixes(
  system: Pick<System, 'processes'>,
): Promise<{ prefix: string; netdev: string }[]> {
  const rows = [
    ...(await ipJson<Route>(system, ['-4', ...SHOW])),
    ...(await ipJson<Route>(system, ['-6', ...SHOW])),
  ];
  const ours = [TUNNEL_NETDEV, INNER_NETDEV];
  return rows.flatMap(({ dst, dev, type }) =>
    // Those without a netdev refuse, as ours of last resort do.
    dst === 'default' || dev === undefined || type === 'blackhole' || ours.includes(dev)
      ? []
      : [{ prefix: dst, netdev: dev }],
  );
}
