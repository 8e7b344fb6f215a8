// The paper's three cases in which a VPN alone still tells (its section 6.2), each lived through and attacked.

import { TUNNEL_OVERHEAD_BYTES } from '../../../core/cost/cost.ts';
import { defaultMode } from '../../../core/pacing/modes.ts';
import { renderRows } from '../../../core/plot/text-table.ts';
import type { ActivityScore } from '../../analysis/activity-score.ts';
import { attackActivity, BIN_S } from '../../analysis/activity-streams.ts';
import { cutWindows } from '../../analysis/identify/features.ts';
import { fitNearestNeighbours } from '../../analysis/identify/knn.ts';
import type { DeviceId } from '../../devices/catalogue.ts';
import { labDevices } from '../bed/topology.ts';
import {
  type AttackInput,
  deviceNames,
  RATE_WINDOW_S,
  seriesOf,
  TOLERANCE_S,
  tunnelWindows,
} from './attack.ts';
import {
  type AttackedRun,
  type CampaignOptions,
  type PlannedRun,
  runCampaign,
  type Screens,
} from './campaign.ts';
import { underline } from './table.ts';

/** A household in which the VPN hides little. */
interface VpnCase {
  name: string;
  devices: readonly DeviceId[];
  /** Whose events are looked for; all devices' where left out. */
  watched?: DeviceId;
}

/** The order is the paper's. */
export const vpnCases: readonly VpnCase[] = [
  { name: 'single device', devices: ['sense'] },
  { name: 'sparse activity', devices: ['sense', 'tp-link-plug', 'orvibo-socket', 'echo'] },
  {
    name: 'dominating device',
    devices: ['sense', 'tp-link-plug', 'wemo-switch', 'nest-cam'],
    watched: 'nest-cam',
  },
];

/** The attacker has such devices at home, and lived with them another day. */
const TRAINING_SEED_STEP = 1000;
const NEIGHBOURS = 3;

/** What came through the tunnel in one case. */
export interface CaseFigures {
  name: string;
  variant: string;
  devices: string[];
  windows: number;
  /** Windows whose busiest device the attacker named right, and what guessing the commonest would get. */
  right: number;
  baseline: number;
  /** Device most windows are called after, and the one they are most of. */
  named: string | null;
  dominant: string | null;
  events: ActivityScore | null;
}

/**
 * Runs a training household unprotected, then each case through the VPN and shaped, and prints what the attack infers.
 * @throws as runLab
 */
export async function runCases(
  options: CampaignOptions,
  screens: Screens,
  signal: AbortSignal,
): Promise<void> {
  const plan: PlannedRun[] = [
    { name: 'training', variant: 'unprotected', seed: options.seed + TRAINING_SEED_STEP },
    ...vpnCases.flatMap(({ name, devices }) =>
      (['vpn', defaultMode] as const).map((variant) => ({
        name: `${name.replaceAll(' ', '-')}-${variant}`,
        variant,
        devices,
      })),
    ),
  ];
  const [training, ...runs] = await runCampaign(plan, options, screens, signal);
  const figures = runs.map((run, i) =>
    attackCase(vpnCases[Math.floor(i / 2)]!, run, training!.attack),
  );
  screens.stdout.write(`\n${renderCases(figures)}`);
}

/** Names the busiest device of every window by what devices looked like elsewhere, and finds events. */
export function attackCase(
  { name, devices, watched }: VpnCase,
  { attack, summary }: Pick<AttackedRun, 'attack' | 'summary'>,
  training: AttackInput,
): CaseFigures {
  const names = deviceNames();
  const labels = [...names.values()].filter((label) => devicesCalled(devices).includes(label));
  const rows: number[][] = [];
  const rowLabels: string[] = [];
  for (const [ip, label] of names) {
    if (!labels.includes(label)) continue;
    const own = training.home.filter((packet) => packet.ip === ip);
    const wire = { up: tunnelled(own, 'up'), down: tunnelled(own, 'down') };
    const place = { fromS: training.startS, toS: training.endS };
    for (const { features } of cutWindows(seriesOf(wire), {
      ...place,
      windowS: RATE_WINDOW_S,
      sampleS: BIN_S,
    })) {
      rows.push(features);
      rowLabels.push(label);
    }
  }
  const windows = tunnelWindows(attack);
  const classifier = rows.length > 0 ? fitNearestNeighbours(rows, rowLabels, NEIGHBOURS) : null;
  const called = windows.map(({ features }) => classifier?.predict(features) ?? '');
  // Where no device spoke there is nothing to name; the attacker does not know where that is.
  const judged = windows.flatMap(({ device }, i) =>
    device === null ? [] : [{ device, called: called[i]! }],
  );
  const truth = judged.map(({ device }) => device);
  const dominant = commonest(truth);
  return {
    name,
    variant: summary.variant,
    devices: labels,
    windows: judged.length,
    right: judged.filter((window) => window.called === window.device).length,
    baseline: truth.filter((label) => label === dominant).length / Math.max(1, truth.length),
    named: commonest(judged.map((window) => window.called)),
    dominant,
    events: findEvents(attack, called, windows, watched),
  };
}

/** Gives each device the windows called after it, and looks for its events there. */
function findEvents(
  { startS, endS, wire, events, seed }: AttackInput,
  called: readonly string[],
  windows: readonly { startS: number }[],
  watched: DeviceId | undefined,
): ActivityScore | null {
  const own = events.filter(({ device }) => watched === undefined || device === watched);
  if (own.length === 0) return null;
  const labelOf = new Map(
    windows.map((window, i) => [Math.round((window.startS - startS) / RATE_WINDOW_S), called[i]!]),
  );
  const streams = [...new Set(called)].flatMap((label) => {
    const isOwn = ({ timeS }: { timeS: number }) =>
      labelOf.get(Math.floor((timeS - startS) / RATE_WINDOW_S)) === label;
    const series = seriesOf({ up: wire.up.filter(isOwn), down: wire.down.filter(isOwn) });
    const isAsked = watched === undefined || devicesCalled([watched]).includes(label);
    return isAsked ? [{ label, key: label, series: [series] }] : [];
  });
  const options = { toleranceS: TOLERANCE_S, seed };
  return attackActivity(streams, { startS, endS }, own, options).score;
}

/** Cases side by side. */
export function renderCases(figures: readonly CaseFigures[]): string {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const rows = figures.map(({ name, variant, devices, windows, right, baseline, ...found }) => [
    name,
    variant,
    String(devices.length),
    found.dominant ?? '–',
    found.named ?? '–',
    windows ? `${percent(right / windows)} (${percent(baseline)})` : '–',
    found.events
      ? `${found.events.hits} of ${found.events.events}, ${found.events.found - found.events.hits} false`
      : '–',
    found.events ? found.events.f1.toFixed(2) : '–',
  ]);
  const titles = [
    'case',
    'defence',
    'devices',
    'says most',
    'attacker says',
    'windows named right (guessing)',
    'events found',
    'F1',
  ];
  const notes = [
    `The attacker knows what each device's traffic looks like from a household of his own (mean and deviation of the rates in windows of ${RATE_WINDOW_S} s, 3 nearest neighbours) and which devices this home has.`,
    'With one device every window is its own, whatever the traffic looks like: there the events are what is left to hide.',
    `Events: each device is given the windows called after it, and its bursts there count when they lie within ${TOLERANCE_S} s of an event of its own; with a dominating device only that one's are asked for.`,
  ];
  return `${underline(renderRows([titles, ...rows], 5))}\n${notes.join('\n')}\n`;
}

function tunnelled(packets: AttackInput['home'], direction: 'up' | 'down') {
  return packets
    .filter((packet) => packet.direction === direction)
    .map(({ timeS, bytes }) => ({ timeS, bytes: bytes + TUNNEL_OVERHEAD_BYTES }));
}

function devicesCalled(ids: readonly DeviceId[]): string[] {
  return labDevices().flatMap(({ id, name }) => (ids.some((one) => one === id) ? [name] : []));
}

function commonest(labels: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}
