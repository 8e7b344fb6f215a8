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
    limits: { down_kBps: number | null; month_gb: number | null };
    month_gb: number;
    refused: string | null;
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
    home.refused ? 'refused' : home.online ? 'connected' : 'disconnected',
    monthOf(home),
    ...(home.online
      ? [
          rateOf(home),
          `${home.packet_size} bytes`,
          `${home.queue_ms} ms`,
          `${home.dropped}`,
          home.version,
        ]
      : []),
  ]);
  const titles = [
    'HOME',
    'ADDRESS',
    'STATE',
    'MONTH',
    'RATE',
    'PACKETS',
    'WAITING',
    'DROPPED',
    'VERSION',
  ];
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

type HomeStatus = EndpointStatus['homes'][number];

function rateOf({ download_kBps: rate, limits }: HomeStatus): string {
  return limits.down_kBps === null ? `${rate} KB/s` : `${rate} of ${limits.down_kBps} KB/s`;
}

function monthOf({ month_gb: used, limits }: HomeStatus): string {
  return limits.month_gb === null ? `${used} GB` : `${used} of ${limits.month_gb} GB`;
}
