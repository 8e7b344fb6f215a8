// Builds the lab's namespaces and takes them away again; never touches one it did not create.
import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '../../../shell/system/node/processes.ts';
import { LabError } from '../error.ts';
import type { Cleanup } from './cleanup.ts';
import { claim, listNamespaces, removeLeftovers } from './leftovers.ts';
import { lab, type Place, type Topology } from './topology.ts';

/** Files that `ip netns exec` puts in the place of this machine's own. */
export const netnsConfig = '/etc/netns';

/**
 * Builds the network; `cleanup` can undo it from the first step on.
 * @throws {LabError} where a namespace of one of its names is there already: it is not ours to touch
 */
export async function buildNetwork(topology: Topology, cleanup: Cleanup): Promise<void> {
  await removeLeftovers();
  const existing = new Set(await listNamespaces());
  for (const name of Object.values(topology.names)) {
    if (existing.has(name)) {
      throw new LabError(
        `network namespace "${name}" exists already and was not made by this run: choose another --id, ` +
          `or remove it with "ip netns delete ${name}" if nobody needs it`,
      );
    }
  }
  for (const [place, name] of Object.entries(topology.names) as [Place, string][]) {
    await run(['ip', 'netns', 'add', name]);
    cleanup.add(() => removeNamespace(name));
    await claim(name);
    const settings = topology.settings[place];
    if (settings.length > 0) await run(['sysctl', '-q', '-w', ...settings], { netns: name });
  }
  for (const argv of topology.commands) await run(argv);
  await run(['nft', '-f', '-'], { netns: topology.names.router, input: topology.routerRules });
  await writeResolver(topology.names.endpoint, cleanup);
}

/** The endpoint's resolver asks the lab's DNS server, not this machine's: `ip netns exec` puts the file in its place. */
async function writeResolver(name: string, cleanup: Cleanup): Promise<void> {
  const made = await mkdir(netnsConfig, { recursive: true });
  if (made !== undefined) cleanup.add(() => rmdir(netnsConfig).catch(() => {})); // another lab may be using it by now
  const folder = join(netnsConfig, name);
  await mkdir(folder);
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${lab.dnsAddress}\n`);
}

/** Ends what still runs in a namespace of ours and deletes it. */
export async function removeNamespace(name: string): Promise<void> {
  await endProcesses(name);
  await run(['ip', 'netns', 'delete', name]);
}

async function endProcesses(name: string): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (let wait = 0; wait < 20; wait++) {
      const { stdout } = await run(['ip', 'netns', 'pids', name]);
      const pids = stdout.split('\n').filter(Boolean).map(Number);
      if (pids.length === 0) return;
      if (wait === 0) {
        for (const pid of pids) {
          try {
            process.kill(pid, signal);
          } catch {
            // It ended in between.
          }
        }
      }
      await delay(50);
    }
  }
}
