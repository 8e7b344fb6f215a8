// Simulations as tables for people and as CSV.
import { figure, renderRows } from '../../core/plot/text-table.ts';
import type { AttackResult } from './attack.ts';
import type { ToleranceRow } from './figure9.ts';
import type { DirectionResult, SimulationResult } from './simulate.ts';

const titles = [
  'variant',
  'way',
  'rate KB/s',
  'real MB',
  'padding',
  'cover',
  'tunnel',
  'wire MB',
  'overhead',
  'mean ms',
  'p50',
  'p99',
  'max',
  'queue',
  'dropped',
];

/** One line for each direction of each variant. */
export function renderSimulation(results: readonly SimulationResult[]): string {
  const rows = results.flatMap(({ variant, up, down }) => {
    const line = (way: string, rateKBps: number, found: DirectionResult) => {
      const { latency } = found;
      return [
        variant.name,
        way,
        rateKBps ? figure(rateKBps) : '-',
        megabytes(found.realBytes),
        megabytes(found.paddingBytes + found.framingBytes),
        megabytes(found.coverBytes),
        megabytes(found.tunnelBytes),
        megabytes(found.wireBytes),
        found.realBytes ? `${figure(found.wireBytes / found.realBytes - 1)}x` : '-',
        ...[latency.meanMs, latency.p50Ms, latency.p99Ms, latency.maxMs].map(figure),
        String(found.queueMaxPackets),
        String(found.dropped),
      ];
    };
    return [line('up', variant.uploadKBps, up), line('down', variant.downloadKBps, down)];
  });
  return renderRows([titles, ...rows], 2);
}

export function renderSimulationCsv(results: readonly SimulationResult[]): string {
  const header =
    'variant,direction,rate_kBps,packet_bytes,sd_percent,duration_s,packets,dropped,real_bytes,framing_bytes,padding_bytes,cover_bytes,tunnel_bytes,wire_bytes,wire_packets,queue_max_packets,mean_ms,p50_ms,p99_ms,max_ms';
  const rows = results.flatMap(({ variant, durationS, up, down }) =>
    [
      { way: 'up', rateKBps: variant.uploadKBps, found: up },
      { way: 'down', rateKBps: variant.downloadKBps, found: down },
    ].map(({ way, rateKBps, found }) =>
      [
        variant.name,
        way,
        rateKBps,
        variant.packetBytes,
        variant.sdPercent,
        durationS,
        found.packets,
        found.dropped,
        found.realBytes,
        found.framingBytes,
        found.paddingBytes,
        found.coverBytes,
        found.tunnelBytes,
        found.wireBytes,
        found.wirePackets,
        found.queueMaxPackets,
        found.latency.meanMs,
        found.latency.p50Ms,
        found.latency.p99Ms,
        found.latency.maxMs,
      ].join(),
    ),
  );
  return `${header}\n${rows.join('\n')}\n`;
}

/** Figure 9's devices: the paper's rates, and delays of the given traces at them. */
export function renderTolerance(rows: readonly ToleranceRow[]): string {
  const lines = rows.map(({ id, uploadKBps, downloadKBps, padded, packed, ideal }) => [
    id,
    `${uploadKBps}/${downloadKBps}`,
    ...[padded, packed, ideal].flatMap(({ up, down }) => [
      `${figure(up.latency.meanMs)}/${figure(down.latency.meanMs)}`,
      `${figure(up.latency.maxMs)}/${figure(down.latency.maxMs)}`,
    ]),
  ]);
  const header = [
    'device',
    "paper's KB/s up/down",
    'padded: mean ms',
    'max ms',
    'packed: mean ms',
    'max ms',
    'ideal: mean ms',
    'max ms',
  ];
  return renderRows([header, ...lines]);
}

/** What the audit finds in each variant's wire, the verdict first. */
export function renderAttacks(attacks: readonly AttackResult[]): string {
  const interval = ({ windowS, auc }: AttackResult['windows'][number]) =>
    auc
      ? [`${windowS} s ${auc.value.toFixed(2)} (${auc.low.toFixed(2)}-${auc.high.toFixed(2)})`]
      : [];
  const rows = attacks.map(({ variant, level, windows }) => [
    variant,
    level,
    windows.flatMap(interval).join(', ') || '-',
  ]);
  const sentences = attacks.map(({ variant, sentence }) => `${variant}: ${sentence}\n`);
  const header = ['variant', 'verdict', 'AUC of telling active from idle windows (0.50 is chance)'];
  return `${renderRows([header, ...rows], 3)}\n${sentences.join('')}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}
