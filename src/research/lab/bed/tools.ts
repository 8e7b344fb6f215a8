// What the lab needs of a machine, and in which versions it has it.
import { release } from 'node:os';
import { CommandError } from '../../../shell/system/command.ts';
import { run } from '../../../shell/system/node/processes.ts';
import { version } from '../../../version.ts';
import { LabError } from '../error.ts';

const needed = ['ip', 'nft', 'tc', 'ethtool', 'sysctl', 'tcpdump', 'taskset', 'openvpn', 'openssl'];

/** @throws {LabError} that names what is missing */
export async function requireTools(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new LabError('the lab makes network namespaces, which only root may: run it as root');
  }
  const missing: string[] = [];
  for (const tool of needed) {
    try {
      await run(['which', tool]);
    } catch {
      missing.push(tool);
    }
  }
  if (missing.length > 0) {
    throw new LabError(
      `not installed: ${missing.join(', ')}; on Debian: apt-get install iproute2 nftables ethtool procps tcpdump util-linux openvpn openssl`,
    );
  }
}

/** Of all that a run's figures depend on. */
export async function readVersions(): Promise<Record<string, string>> {
  const firstLine = async (...argv: string[]) => {
    try {
      const { stdout, stderr } = await run(argv);
      return (stdout || stderr).split('\n')[0]!.trim();
    } catch (error) {
      return error instanceof CommandError ? 'unknown' : Promise.reject(error);
    }
  };
  return {
    iotshaper: version,
    node: process.version,
    linux: release(),
    openvpn: await firstLine('openvpn', '--version'),
    nft: await firstLine('nft', '--version'),
    tc: await firstLine('tc', '-V'),
  };
}
