// The demo: one household lived through five times, from unprotected to shaped, then a table and a report.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attackNotes } from './findings/attack-table.ts';
import { type CampaignOptions, runCampaign, type Screens } from './findings/campaign.ts';
import { renderReport } from './findings/report.ts';
import { renderTable, tableNotes } from './findings/table.ts';
import type { Variant } from './options.ts';

const order: readonly Variant[] = ['unprotected', 'vpn', 'paper', 'constant', 'vit'];

/**
 * Runs all variants one after the other, prints the table and writes `report.html`; each run's own files are in a
 * folder of the variant's name.
 *
 * @throws as runLab
 */
export async function runDemo(
  options: CampaignOptions,
  screens: Screens,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  const plan = order.map((variant) => ({ name: variant, variant }));
  const runs = await runCampaign(plan, options, screens, signal);
  const report = join(options.out, 'report.html');
  await writeFile(
    report,
    renderReport(
      runs.map(({ summary, line, events, figures }) => ({ summary, wire: line, events, figures })),
    ),
  );
  const { stdout } = screens;
  const summaries = runs.map(({ summary }) => summary);
  const attacks = runs.map(({ figures }) => figures);
  stdout.write(`\n${renderTable(summaries, attacks)}\n`);
  for (const note of [...tableNotes, ...attackNotes(attacks)]) stdout.write(`${note}\n`);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  stdout.write(`\nAll of it took ${seconds} s. Pictures and explanations: ${report}\n`);
}
