// Reads what the router's resolver knows of the house by itself: its settings, hosts files and leases.
import { parseUci, type UciPackage } from '../../../core/config/uci/uci.ts';
import { gatherNames, type HouseNames } from '../../../core/home/names/house-names.ts';
import type { System } from '../../system/system.ts';
import { readDnsmasqLeases } from './leases-reader.ts';

const SETTINGS = '/etc/config/dhcp';
const HOSTS = '/etc/hosts';
/** Where OpenWrt writes names that are given in UCI, and odhcpd those of its leases. */
const HOSTS_FOLDER = '/tmp/hosts';
/** A list of names to block may have any length. */
const MOST_BYTES = 1 << 18;

/** The names as they are now; never throws. */
export async function readHouseNames(system: Pick<System, 'files'>): Promise<HouseNames> {
  const { files } = system;
  const read = async (path: string): Promise<string> => {
    const facts = await files.stat(path).catch(() => null);
    if (!facts || facts.isFolder || facts.bytes > MOST_BYTES) return '';
    return files.readText(path).catch(() => '');
  };
  const names = await files.list(HOSTS_FOLDER).catch(() => []);
  const paths = [HOSTS, ...names.map((name) => `${HOSTS_FOLDER}/${name}`)];
  return gatherNames({
    dhcp: parseSettings(await read(SETTINGS)),
    hosts: await Promise.all(paths.map(read)),
    leases: await readDnsmasqLeases(system, read),
  });
}

function parseSettings(text: string): UciPackage | null {
  if (text === '') return null;
  try {
    return parseUci(text, 'dhcp');
  } catch {
    return null; // the resolver doesn't take it either
  }
}
