// The paper's three defences side by side: devices shut in, a VPN, shaping; what each hides and what each breaks.
import { defaultMode } from '../../../core/pacing/modes.ts';
import { renderRows } from '../../../core/plot/text-table.ts';
import type { Variant } from '../options.ts';
import { attackNotes } from './attack-table.ts';
import { type AttackedRun, type CampaignOptions, runCampaign, type Screens } from './campaign.ts';
import { countFunctions, describeFunction } from './functions.ts';
import { renderTable, tableNotes, underline } from './table.ts';

const order: readonly Variant[] = ['unprotected', 'block', 'vpn', defaultMode];

type DefendedRun = Pick<AttackedRun, 'summary' | 'figures' | 'messages' | 'events'>;

/**
 * Runs the household under each defence, prints what the provider sees and which devices still work.
 * @throws as runLab
 */
export async function runDefences(
  options: CampaignOptions,
  screens: Screens,
  signal: AbortSignal,
): Promise<void> {
  const plan = order.map((variant) => ({ name: variant, variant }));
  const runs = await runCampaign(plan, options, screens, signal);
  screens.stdout.write(`\n${renderDefences(runs)}`);
}

/** The table of figures, then the one of functions. */
export function renderDefences(runs: readonly DefendedRun[]): string {
  const summaries = runs.map(({ summary }) => summary);
  const attacks = runs.map(({ figures }) => figures);
  const notes = [
    ...tableNotes,
    ...attackNotes(attacks),
    'Works: uses all of which reached the maker’s server, of those tried; “keeps in touch” counts messages. Only what devices do with their servers is emulated; what a device does with a phone in the same home goes on under every defence.',
  ];
  return `${renderTable(summaries, attacks)}\n${underline(renderFunctions(runs))}\n${notes.join('\n')}\n`;
}

/** Per device what it does on its maker's servers, and whether that still works, after the paper's Figure 6. */
function renderFunctions(runs: readonly DefendedRun[]): string {
  const counted = runs.map(({ messages, events }) => countFunctions(messages, events));
  const all = new Map(counted.flat().map((one) => [`${one.device}: ${one.name}`, one]));
  return renderRows([
    ['function', ...runs.map(({ summary }) => summary.variant)],
    ...[...all].map(([title, { device, name }]) => [
      title,
      ...counted.map((functions) => {
        const own = functions.find((one) => one.device === device && one.name === name);
        return describeFunction(own?.tried ?? 0, own?.worked ?? 0);
      }),
    ]),
  ]);
}
