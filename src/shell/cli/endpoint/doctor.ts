// `iotshaper endpoint doctor`: what keeps this server from serving homes, and what mends it.
import { join } from 'node:path';
import { resolverTrouble } from '../../../core/endpoint/delivery.ts';
import { findEndpointFaults, findKernelFaults } from '../../../core/endpoint/examination.ts';
import type { EndpointIdentity } from '../../../core/endpoint/identity.ts';
import { bare } from '../../../core/home/answers.ts';
import type { Notice } from '../../../core/notices/notice.ts';
import { wordsOf } from '../../../core/notices/words.ts';
import { DNS_PORT } from '../../../core/plan/names.ts';
import type { PortStatus } from '../../endpoint/endpoint-status.ts';
import { examine, examineKernel } from '../../endpoint/examine.ts';
import { readHolders } from '../../endpoint/resolver.ts';
import { askLocalApi, NotRunningError } from '../../machine/local-api.ts';
import type { System } from '../../system/system.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { printFindings } from '../findings.ts';

/** Looking takes a second or two on a slow machine. */
const TIMEOUT_MS = 30_000;
/** The configuration is wrong, and starting again will not help (sysexits.h). */
const EX_CONFIG = 78;

/** What is wrong with this machine: as the running service found it just now or, where none runs, as found here. */
export async function findFaults(
  system: System,
  identity: EndpointIdentity,
  runDir: string,
): Promise<{ faults: Notice[]; port: PortStatus | null }> {
  try {
    const path = join(runDir, 'api.sock');
    const status = await askLocalApi(system, path, { method: 'doctor' }, TIMEOUT_MS);
    const { warning_notices: faults, port } = status as RunningStatus;
    return { faults: await Promise.all(faults.map((fault) => withHolder(system, fault))), port };
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
  }
  const seen = await examine({ system, identity, runDir, inject: null });
  return { faults: findEndpointFaults(seen), port: null };
}

/** The service that runs is kept from seeing other programs; who asks for the doctor is not. */
async function withHolder(system: System, fault: Notice): Promise<Notice> {
  if (fault.code !== 'resolver-port-taken') return fault;
  const address = `${fault.values.address}`;
  const holders = await readHolders(system, DNS_PORT, address);
  return holders.programs.length === 0 ? fault : resolverTrouble({ address, holders }).notice;
}

interface RunningStatus {
  warning_notices: Notice[];
  port: PortStatus;
}

/** What nobody can try from this server itself: whether its provider lets the port in. */
function describePort(number: number, port: PortStatus | null): string {
  const step = `let UDP port ${number} in in the firewall that the hosting provider has in front of this server`;
  if (port === null || port.arrived === null)
    return `Whether UDP ${number} gets through its provider's firewall shows once the service runs and a home connects: look again then.`;
  const { arrived, quiet_s: quietS } = port;
  if (arrived === 0)
    return `But nothing has come to UDP port ${number} since the service started ${quietS} s ago: if a home is switched on, ${step}.`;
  return `Something came to UDP port ${number} ${quietS} s ago.`;
}

/** Prints what was found, or that nothing was; exit status 1 where something was. */
export async function printFaults(
  { system, console }: Context,
  identity: EndpointIdentity,
  { runDir, json }: { runDir: string; json?: boolean },
): Promise<void> {
  const { faults, port } = await findFaults(system, identity, runDir);
  printFindings(console, faults.map(bare), {
    json,
    nothing: `Nothing found on this server. ${describePort(identity.port, port)}`,
    more: port === null ? {} : { port },
  });
}

/** @throws {Failure} where the kernel lacks what no endpoint can do without: starting it again would not help. */
export async function requireKernel(system: System): Promise<void> {
  const faults = findKernelFaults(await examineKernel(system));
  if (faults.length === 0) return;
  throw new Failure(faults.map((fault) => wordsOf(fault)).join('\n'), EX_CONFIG);
}
