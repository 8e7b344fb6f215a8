// Renders the demo's report: one self-contained page that shows the home as its provider saw it. Pure.

import { isMode, type Mode, modes } from '../../../core/pacing/modes.ts';
import { deviceCatalogue } from '../../devices/catalogue.ts';
import { escapeText, type PlotEvent, plotLines } from '../../plot/svg.ts';
import type { Variant } from '../options.ts';
import type { AttackFigures } from './attack.ts';
import { attackNotes, tellsActivity } from './attack-table.ts';
import type { WirePacket } from './observation.ts';
import type { LabSummary } from './summary.ts';
import { tableNotes, tableRows } from './table.ts';

export interface ReportRun {
  summary: LabSummary;
  /** All the provider saw of the line, tunnel or not. */
  wire: { up: WirePacket[]; down: WirePacket[] };
  events: ReportEvent[];
  /** What the attack got out of it. */
  figures?: AttackFigures;
}

export interface ReportEvent {
  timeS: number;
  device: string;
  event: string;
}

/** The paper's Figures 1, 5 and 7 show seconds of minutes; half a second shows every event of a short run. */
const binS = 0.5;
/** Dots closer than this lie on one another. */
const SPOT_S = 0.1;

/** What stands above each picture. */
const captions: Record<Exclude<Variant, Mode>, { title: string; picture: string }> = {
  unprotected: {
    title: 'Unprotected',
    picture:
      'The home as most homes are: every device talks to its maker’s servers directly, encrypted.',
  },
  block: {
    title: 'Devices shut in by a firewall',
    picture:
      'The router refuses everything devices send to the Internet. What lives on their makers’ servers is dead.',
  },
  vpn: {
    title: 'A VPN alone',
    picture: 'All devices talk through one encrypted tunnel to a rented server.',
  },
  paper: {
    title: 'The paper’s prototype',
    picture:
      'The tunnel is kept at one rate by sending cover when devices are silent, but devices’ packets keep their own sizes and moments.',
  },
  placebo: {
    title: 'Placebo: shaped, devices talk inside the home only',
    picture: 'The tunnel is shaped and carries no device’s traffic at all.',
  },
};

function captionOf(variant: Variant): { title: string; picture: string } {
  if (!isMode(variant)) return captions[variant];
  const { title, picture } = modes[variant].words;
  return { title: `iot-shaper, ${title}`, picture };
}

/** @returns the page's HTML; needs nothing from outside itself */
export function renderReport(runs: readonly ReportRun[]): string {
  const first = runs[0]!.summary;
  const events = runs[0]!.events.map((event) => ({ ...event, atS: event.timeS - first.startS }));
  const topKBps = Math.max(
    ...runs.flatMap((run) => [...binRates(run, 'up'), ...binRates(run, 'down')]),
  );
  const notes = runs[0]!.figures
    ? [...tableNotes, ...attackNotes(runs.flatMap(({ figures }) => figures ?? []))]
    : tableNotes;
  const sections = runs.map((run) => {
    const { title, picture } = captionOf(run.summary.variant);
    return `<section>
<h2>${escapeText(title)}</h2>
<p>${escapeText(picture)}</p>
${plotRun(run, topKBps * 1.05)}
<p class="seen">${escapeText(describeRun(run))}</p>
</section>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What the provider saw</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>What the provider saw</h1>
<p>A home with ${deviceCatalogue.length} smart devices did the same things ${runs.length} times over, for ${first.seconds} seconds each time, protected in ${runs.length} different ways. Each picture below shows the traffic on the home’s line as its Internet provider can record it: how much went out (up) and came in (down), every half second. What the devices say is encrypted throughout: all there is to see are amounts, the size of each packet, and the names of servers where a device asks for them in the open. The numbered dashed lines mark what happened in the home at that moment. If a picture changes where something happened, the provider can tell that it did; if it looks the same everywhere, it can’t.</p>
<h2>What happened in the home</h2>
<ol class="events">
${events.map(({ atS, device, event }) => `<li><span>${atS.toFixed(1)} s</span> ${escapeText(deviceName(device))}: ${escapeText(event)}</li>`).join('\n')}
</ol>
${sections.join('\n')}
<section>
<h2>The figures</h2>
${renderFigures(runs)}
<ul class="notes">${notes.map((note) => `<li>${escapeText(note)}</li>`).join('')}</ul>
<p class="notes">Asked for: ${first.rateKBps} KB/s each way in packets of ${first.packetBytes} bytes (1 KB = 1000 bytes; the line carries 52 bytes more a packet, the tunnel’s own). Seed ${first.seed}. ${escapeText(
    Object.entries(first.versions)
      .map(([name, version]) =>
        name === 'openvpn'
          ? version.split(' ').slice(0, 2).join(' ')
          : `${name} ${version.replace(/^(node|nftables|tc utility,) /, '')}`,
      )
      .join(', '),
  )}. Emulated devices share this machine’s processor with router and endpoint, as they never would in a home: timing here is noisier than there.</p>
</section>
</main>
</body>
</html>
`;
}

function plotRun(run: ReportRun, topKBps: number): string {
  const { summary, events } = run;
  const points = (which: 'up' | 'down') =>
    binRates(run, which).map((kBps, bin) => [bin * binS, kBps] as const);
  const marks: PlotEvent[] = events.map(({ timeS }, index) => ({
    x: timeS - summary.startS,
    label: String(index + 1),
  }));
  return plotLines({
    title: 'Traffic on the provider’s line',
    description: `Rate of traffic on the provider's line in each direction, over ${summary.seconds} seconds`,
    xLabel: 'seconds',
    xFrom: 0,
    xTo: summary.seconds,
    panelHeight: 130,
    panels: [
      {
        title: 'how much, KB/s',
        yLabel: 'KB/s',
        yFrom: 0,
        yTo: topKBps,
        events: marks,
        series: [
          { name: 'up', style: 'step', points: points('up') },
          { name: 'down', style: 'step', dashed: true, points: points('down') },
        ],
      },
      {
        title: 'size of each packet, bytes',
        yLabel: 'bytes',
        yFrom: 0,
        yTo: 1600,
        series: [
          { name: '', style: 'points', points: packetSizes(run, 'up') },
          { name: '', style: 'points', points: packetSizes(run, 'down') },
        ],
      },
    ],
  });
}

/** Sizes of packets over time, those that would be drawn on one spot as one. */
function packetSizes(
  { summary, wire }: ReportRun,
  which: 'up' | 'down',
): (readonly [number, number])[] {
  const spots = new Map<string, readonly [number, number]>();
  for (const { timeS, bytes } of wire[which]) {
    const x = Math.round((timeS - summary.startS) / SPOT_S) * SPOT_S;
    if (x >= 0 && x <= summary.seconds) spots.set(`${x} ${bytes}`, [x, bytes]);
  }
  return [...spots.values()];
}

/** Rates on the line, KB/s a half second. */
function binRates(
  { summary, wire }: Pick<ReportRun, 'summary' | 'wire'>,
  which: 'up' | 'down',
): number[] {
  const rates = new Array<number>(Math.floor(summary.seconds / binS)).fill(0);
  for (const { timeS, bytes } of wire[which]) {
    const bin = Math.floor((timeS - summary.startS) / binS);
    if (bin >= 0 && bin < rates.length) rates[bin]! += bytes / 1000 / binS;
  }
  return rates;
}

/** What a person should take from the picture, as the figures have it. */
function describeRun(run: ReportRun): string {
  const { up, down, dnsNamesInClear, outsideTunnel, latency } = run.summary;
  const names = Object.keys(dnsNamesInClear).length;
  const sizes = Math.max(Object.keys(up.sizes).length, Object.keys(down.sizes).length);
  const spread = rateSpread(run);
  const clear =
    names > 0
      ? `${names} server names went out in clear and name the devices.`
      : 'No server name was readable.';
  const outside = outsideTunnel?.packets
    ? ` ${outsideTunnel.packets} packets went past the tunnel.`
    : '';
  const delay =
    latency.up.meanMs === null
      ? ''
      : ` A message waited ${formatMs(latency.up.meanMs)} on average on its way up.`;
  const picture =
    up.asked === null
      ? `The line is quiet until something happens: the busiest half second carries ${spread.max.toFixed(0)} KB/s, the quietest ${spread.min.toFixed(0)}. Every peak is something somebody did.`
      : sizes > 1
        ? `The amount stays between ${spread.min.toFixed(0)} and ${spread.max.toFixed(0)} KB/s, but the packets come in ${sizes} different sizes, and those that are not cover give the devices away.`
        : `Packets of one size only, between ${spread.min.toFixed(0)} and ${spread.max.toFixed(0)} KB/s at any moment, whatever happened in the home.`;
  return `${picture} ${clear}${outside}${delay}${describeAttack(run)}`;
}

function rateSpread(run: ReportRun): { min: number; max: number } {
  const rates = [...binRates(run, 'up'), ...binRates(run, 'down')];
  return { min: Math.min(...rates), max: Math.max(...rates) };
}

function renderFigures(runs: readonly ReportRun[]): string {
  const head = runs
    .map(({ summary }) => `<th scope="col">${escapeText(summary.variant)}</th>`)
    .join('');
  const rows = tableRows(
    runs.map(({ summary }) => summary),
    runs.flatMap(({ figures }) => figures ?? []),
  ).map(
    ({ name, cells }) =>
      `<tr><th scope="row">${escapeText(name)}</th>${cells.map((cell) => `<td>${escapeText(cell)}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll"><table><thead><tr><td></td>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

/** What the attack made of it. */
function describeAttack({ figures }: ReportRun): string {
  if (!figures) return '';
  const { byRates, devices, events, auc } = figures;
  const named = byRates
    ? `From the rates alone an attacker names ${byRates.named.length} of ${devices.length} devices`
    : 'There is too little to name a device by';
  const found = events
    ? ` and finds ${events.hits} of ${events.events} events, where chance finds ${events.chanceHits.toFixed(0)} (${events.found - events.hits} false alarms)`
    : '';
  const told =
    auc && tellsActivity(figures)
      ? ` A trained classifier ranks an active second above an idle one ${(100 * auc.value).toFixed(0)} times in 100 (95 %: ${(100 * auc.low).toFixed(0)} to ${(100 * auc.high).toFixed(0)}; guessing gets 50).`
      : '';
  return ` ${named}${found}.${told}`;
}

function deviceName(id: string): string {
  return deviceCatalogue.find((device) => device.id === id)?.name ?? id;
}

function formatMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${ms.toFixed(0)} ms`;
}

const style = `
body { margin: 0; background: #fff; color: #222; font: 16px/1.5 system-ui, 'DejaVu Sans', sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 28px; margin: 0 0 8px; }
h2 { font-size: 20px; margin: 36px 0 4px; }
p { margin: 4px 0 10px; }
svg { width: 100%; height: auto; }
.seen { border-left: 4px solid #0072b2; padding-left: 12px; }
.events { columns: 3; column-gap: 28px; font-size: 14px; padding-left: 26px; }
.events span { color: #666; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; width: 100%; }
th, td { padding: 5px 8px; border-bottom: 1px solid #ddd; white-space: nowrap; text-align: right; }
th[scope=row] { text-align: left; font-weight: normal; white-space: normal; }
.notes { font-size: 13px; color: #555; }
@media (max-width: 640px) { .events { columns: 1; } }
`;
