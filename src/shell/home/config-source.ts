// The configuration in force: read whole, refused whole, the last good one kept for the next start.
import { parseConfig } from '../../core/config/config.ts';
import { ConfigError } from '../../core/config/config-error.ts';
import type { Config } from '../../core/config/types.ts';
import { isSame } from '../../core/equality/equality.ts';
import type { ConfigVerdict } from '../../core/home/answers.ts';
import type { ListedNetdev } from '../../core/home/netdev-kinds.ts';
import { findTakenRanges } from '../../core/home/taken-ranges.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { noticeOfError } from '../../core/notices/notice-error.ts';
import { checkProfile, type Profile } from '../../core/openvpn/profile.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { addressedOf } from '../network/house-reader.ts';
import { type InterfaceReader, understandConfig } from '../network/interfaces.ts';
import { ipJson } from '../network/ip-json.ts';
import { netdevIndex } from '../network/netdev.ts';
import { pemReader } from '../openvpn/pem-reader.ts';
import { readProfileText, waitingPathOf } from '../openvpn/profile-file.ts';
import { findProcesses } from '../system/leftovers.ts';
import { type System, SystemError } from '../system/system.ts';
import { isSocatOf } from '../tunnel/packet-port.ts';
import { readFirewallWarnings } from './firewall-warnings.ts';

/** A configuration that can be applied as it stands. */
export interface GoodConfig {
  /** With network devices in the place of interfaces' names. */
  config: Config;
  /** The same as it stands in UCI. */
  written: Config;
  /** Null while shaping is off and no profile is needed. */
  profile: Profile | null;
  /** A profile that was uploaded and is to be tried before it takes the place of that one. */
  waiting?: Profile | null;
}

/** What reading found: a good configuration, or none and why. */
export interface ConfigReading {
  good: GoodConfig | null;
  status: ConfigVerdict;
}

const noInterfaces: InterfaceReader = () => Promise.resolve(null);

/**
 * Reads and judges the configuration at `path` with the profile it names; never throws for what stands there.
 *
 * @param readInterfaces who knows OpenWrt's names of interfaces.
 * @param spare a profile that is taken where the one that is named can't be.
 * @param lateMs see {@link parseConfig}.
 */
export async function readGoodConfig(
  system: Pick<System, 'files' | 'processes'>,
  path: string,
  readInterfaces: InterfaceReader = noInterfaces,
  { spare = null, lateMs = null }: { spare?: Profile | null; lateMs?: number | null } = {},
): Promise<ConfigReading> {
  let text: Uint8Array;
  try {
    text = await system.files.readBytes(path);
  } catch (error) {
    const why = error instanceof SystemError ? error.code : String(error);
    const said = notice('configuration-unreadable', { file: path, error: why });
    return refused([{ ...said, path: '', value: '' }]);
  }
  try {
    const { config: written, warnings } = parseConfig(text, lateMs);
    const understood = await understandConfig(system, written, readInterfaces);
    const { config, notes } = understood ?? { config: written, notes: [] };
    const status = fine(warnings, notes);
    if (!config.main.enabled) return { good: { config, written, profile: null }, status };
    const netdevs = config.networks.map(({ device }) => device);
    warnings.push(...(await readFirewallWarnings(system, config.tunnel.interface, netdevs)));
    const named = await readProfile(system, config.tunnel.profile);
    const profile = named.profile ?? spare;
    const errors = profile ? [] : [...named.errors];
    errors.push(...(await findForeignNetdev(system, config.tunnel.interface)));
    if (profile) errors.push(...(await findRangeErrors(system, config.tunnel.interface, profile)));
    const waiting = await readWaitingProfile(system, config.tunnel.profile);
    return profile && errors.length === 0
      ? { good: { config, written, profile, waiting }, status }
      : { good: null, status: { ...status, ok: false, errors } };
  } catch (error) {
    if (error instanceof ConfigError) return refused(error.errors, error.warnings);
    return refused([{ ...noticeOfError(error), path: '', value: '' }]);
  }
}

/** What interfaces' names stand for now, in a configuration that is in force; null where that is what it was. */
export async function understandAnew(
  system: Pick<System, 'files'>,
  good: GoodConfig,
  readInterfaces: InterfaceReader,
): Promise<{ good: GoodConfig; notes: Notice[] } | null> {
  const understood = await understandConfig(system, good.written, readInterfaces);
  if (!understood || isSame(understood.config, good.config)) return null;
  return { good: { ...good, config: understood.config }, notes: understood.notes };
}

/** Reads and judges the profile at a path. */
export async function readProfile(
  { files }: Pick<System, 'files'>,
  path: string,
): Promise<{ profile: Profile | null; errors: ConfigVerdict['errors'] }> {
  const option = 'iotshaper.tunnel.profile';
  let text: string;
  try {
    text = await files.readText(path);
  } catch {
    const said = notice('profile-not-there', { path: option, file: path });
    return { profile: null, errors: [{ ...said, path: option, value: path }] };
  }
  const verdict = checkProfile(text, pemReader);
  if (verdict.ok) return { profile: verdict.profile, errors: [] };
  const errors = verdict.problems.map(({ line, ...why }) => {
    const said =
      line > 0
        ? notice('profile-line-refused', { path: option, file: path, line, why })
        : notice('profile-refused', { path: option, file: path, why });
    return { ...said, path: option, value: path };
  });
  return { profile: null, errors };
}

async function readWaitingProfile(
  { files }: Pick<System, 'files'>,
  path: string,
): Promise<Profile | null> {
  return readProfileText(await files.readText(waitingPathOf(path)).catch(() => ''));
}

/**
 * The netdev that is made for devices' packets is addressed and routed to at will: one of that name that somebody else
 * made, such as the WAN, would be torn from its purpose.
 */
async function findForeignNetdev(
  system: Pick<System, 'files' | 'processes'>,
  netdev: string,
): Promise<ConfigVerdict['errors']> {
  if (netdev !== TUNNEL_NETDEV) {
    if ((await netdevIndex(system, netdev)) === null) return [];
    if ((await findProcesses(system, (argv) => isSocatOf(netdev, argv))).length > 0) return [];
  }
  const path = 'iotshaper.tunnel.interface';
  const command = `uci set ${path}=iot0; uci commit iotshaper; reload_config`;
  return [{ ...notice('netdev-foreign', { path, netdev, command }), path, value: netdev }];
}

/** Networks of this machine that lie where the profile has the tunnel's inside. */
async function findRangeErrors(
  system: Pick<System, 'files' | 'processes'>,
  netdev: string,
  { inside }: Profile,
): Promise<ConfigVerdict['errors']> {
  const path = 'iotshaper.tunnel.profile';
  return (await findRangesTaken(system, netdev, inside)).map((why) => ({
    ...notice('profile-out-of-place', { path, why }),
    path,
    value: String(why.values.prefix),
  }));
}

/**
 * The same as clauses; none where the machine's networks can't be listed.
 *
 * @param netdev the one of devices' packets
 */
export async function findRangesTaken(
  system: Pick<System, 'files' | 'processes'>,
  netdev: string,
  inside: Profile['inside'],
): Promise<Notice[]> {
  const listed = await ipJson<ListedNetdev>(system, ['addr', 'show']).catch(() => []);
  const found: Notice[] = [];
  for (const one of addressedOf(listed, new Set([netdev, TUNNEL_NETDEV]))) {
    const taken = findTakenRanges(inside, [one]);
    if (taken.length === 0) continue;
    // One that was made for devices' packets under another name is about to go.
    const isOurs = (await findProcesses(system, (argv) => isSocatOf(one.name, argv))).length > 0;
    if (!isOurs) found.push(...taken);
  }
  return found;
}

function fine(warnings: Notice[], notes: Notice[]): ConfigVerdict {
  return { ok: true, errors: [], warnings, ...(notes.length > 0 ? { notes } : {}) };
}

function refused(errors: ConfigVerdict['errors'], warnings: Notice[] = []): ConfigReading {
  return { good: null, status: { ok: false, errors, warnings } };
}

/** Keeps a copy of a configuration that was put in force, for a start after it was broken. */
export async function keepGoodConfig(
  { files }: Pick<System, 'files'>,
  path: string,
  keptPath: string,
): Promise<void> {
  const text = await files.readBytes(path);
  const kept = await files.readBytes(keptPath).catch(() => null);
  if (kept !== null && Buffer.compare(kept, text) === 0) return; // flash wears
  await files.replace(keptPath, text);
}

/** Where a profile goes: the place the configuration names, or the usual one while it can't be read. */
export async function profilePath(
  { files }: Pick<System, 'files'>,
  configPath: string,
): Promise<string> {
  try {
    return parseConfig(await files.readBytes(configPath)).config.tunnel.profile;
  } catch {
    return parseConfig('').config.tunnel.profile;
  }
}
