// An endpoint's status as a person reads it.
import { renderTable } from '../../../core/plot/text-table.ts';

/** What of it is shown, as the service has it. */
export interface EndpointStatus {
  state: string;
  reason: string;
  version: string;
  warnings: readonly string[];
  ipv6: boolean;
  homes: readonly {
    name: string;
    address: string;
    online: boolean;
    download_kBps: number;
    packet_size: number;
    queue_ms: number;
    dropped: number;
    version: string;
  }[];
}

export function renderEndpointForPerson(status: EndpointStatus): string {
  const { state, reason, version, warnings, ipv6, homes } = status;
  const rows = homes.map((home) => [
    home.name,
    home.address,
    home.online ? 'connected' : 'disconnected',
    ...(home.online
      ? [
          `${home.download_kBps} KB/s`,
          `${home.packet_size} bytes`,
          `${home.queue_ms} ms`,
          `${home.dropped}`,
          home.version,
        ]
      : []),
  ]);
  const titles = ['HOME', 'ADDRESS', 'STATE', 'RATE', 'PACKETS', 'WAITING', 'DROPPED', 'VERSION'];
  const lines = [
    reason,
    '',
    `state      ${state}, version ${version}`,
    `IPv6       ${ipv6 ? 'yes' : 'no'}`,
    ...warnings.map((warning) => `warning    ${warning}`),
  ];
  const table =
    rows.length === 0
      ? 'No homes yet; add one: iotshaper endpoint add-home NAME --out NAME.ovpn\n'
      : renderTable(
          titles.map((title) => ({ title })),
          rows,
        );
  return `${lines.join('\n')}\n\n${table}`;
}
