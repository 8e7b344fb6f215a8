// The demo: one household lived through five times, from unprotected to shaped, then a table and a report.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCapture } from '../capture/reader.ts';
import { observeProvider } from './observation.ts';
import { type LabOptions, labDefaults, type Variant } from './options.ts';
import { createProgress, type Screen } from './progress.ts';
import { type ReportEvent, type ReportRun, renderReport } from './report.ts';
import { runLab } from './run.ts';
import { renderTable, tableNotes } from './table.ts';

const order: readonly Variant[] = ['unprotected', 'vpn', 'paper', 'constant', 'vit'];

export interface DemoOptions {
  out: string;
  seconds: number;
  rateKBps: number;
  packetBytes: number;
  seed: number;
  id: string;
}

/**
 * Runs all variants one after the other, prints the table and writes `report.html`; each run's own files are in a
 * folder of the variant's name.
 *
 * @throws as {@link runLab}
 */
export async function runDemo(
  options: DemoOptions,
  { stdout, stderr }: { stdout: Screen; stderr: Screen },
  signal: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  const runs: ReportRun[] = [];
  for (const [index, variant] of order.entries()) {
    const name = `${index + 1}/${order.length} ${variant}`;
    const progress = createProgress(stderr, name);
    const beganMs = performance.now();
    const out = join(options.out, variant);
    const lab: LabOptions = {
      ...options,
      variant,
      out,
      intervalSdPercent: labDefaults.intervalSdPercent,
      replay: null,
      alternateS: null,
      dropPercent: 0,
      ipv6: false,
    };
    const summary = await runLab(lab, progress, signal).finally(() => progress.end());
    runs.push({ summary, wire: await readWire(out), events: await readEvents(out) });
    progress.warn(`done in ${seconds(beganMs)} s`);
  }
  const report = join(options.out, 'report.html');
  await writeFile(report, renderReport(runs));
  stdout.write(`\n${renderTable(runs.map(({ summary }) => summary))}\n`);
  for (const note of tableNotes) stdout.write(`${note}\n`);
  stdout.write(`\nAll of it took ${seconds(startedMs)} s. Pictures and explanations: ${report}\n`);
}

/** Everything on the provider's line, whatever it was. */
async function readWire(folder: string): Promise<ReportRun['wire']> {
  const view = await observeProvider(openCapture(join(folder, 'provider.pcap')), {
    tunnelPort: null,
  });
  return view.data;
}

async function readEvents(folder: string): Promise<ReportEvent[]> {
  const [, ...lines] = (await readFile(join(folder, 'events.csv'), 'utf8')).trimEnd().split('\n');
  return lines.map((line) => {
    const [timeS, device, event] = line.split(',');
    return { timeS: Number(timeS), device: device ?? '', event: event ?? '' };
  });
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(0);
}
