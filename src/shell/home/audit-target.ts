// What an audit of the running stream would look at.
import type { Neighbour } from '../../core/home/devices/device-table.ts';
import { desiredOf, type HomeState } from '../../core/home/machine/state.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { ipJson } from '../network/ip-json.ts';
import type { System } from '../system/system.ts';
import type { AuditTarget } from './tool-runner.ts';

/** The target, or why there is none. */
export async function findAuditTarget(
  system: System,
  state: HomeState,
  neighbours: readonly Neighbour[],
): Promise<AuditTarget | Notice> {
  const desired = desiredOf(state);
  const { remoteAddress } = state;
  if (!desired || state.told.state !== 'shaping' || remoteAddress === null) {
    return notice('audit-without-stream');
  }
  const { networks, devices, main } = desired.config;
  const macs = devices.filter(({ policy }) => policy === 'shape').map(({ mac }) => mac);
  const near = neighbours.filter(({ lladdr }) => macs.includes(lladdr?.toLowerCase() ?? ''));
  const lan = [
    ...new Set([...networks.map(({ device }) => device), ...near.map(({ dev }) => dev)]),
  ];
  if (lan.length === 0) return notice('audit-without-devices');
  const [route] = await ipJson<{ dev: string }>(system, ['route', 'get', remoteAddress]);
  return {
    wan: route!.dev,
    lan,
    devices: networks.length > 0 ? [] : macs.filter((mac) => mac !== null),
    port: desired.profile.remotes[0]!.port,
    packetBytes: main.packetBytes,
  };
}
