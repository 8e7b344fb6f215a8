// The paper's three defences side by side: devices shut in, a VPN, shaping; what each hides and what each breaks.
import { deviceCatalogue } from '../devices/catalogue.ts';
import { renderRows } from '../plot/text-table.ts';
import { type AttackedRun, type CampaignOptions, runCampaign, type Screens } from './campaign.ts';
import type { Variant } from './options.ts';
import type { LabSummary } from './summary.ts';
import { attackNotes, renderTable, tableNotes, underline } from './table.ts';

const order: readonly Variant[] = ['unprotected', 'block', 'vpn', 'vit'];

/** A device that gets fewer of its messages through than this is dead for its owner. */
const DEAD_BELOW = 0.1;
const WHOLE_FROM = 0.95;

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
export function renderDefences(runs: readonly Pick<AttackedRun, 'summary' | 'figures'>[]): string {
  const summaries = runs.map(({ summary }) => summary);
  const attacks = runs.map(({ figures }) => figures);
  const notes = [
    ...tableNotes,
    ...attackNotes,
    'Works: messages that reached the server, of those the device sent. Only what devices do with their servers is emulated; what a device does with a phone in the same home goes on under every defence.',
  ];
  return `${renderTable(summaries, attacks)}\n${underline(renderFunctions(summaries))}\n${notes.join('\n')}\n`;
}

/** Per device whether what it does on its servers still works, after the paper's Figure 6. */
function renderFunctions(runs: readonly LabSummary[]): string {
  const devices = deviceCatalogue.filter(({ id }) =>
    runs.some(({ latency }) => latency.byDevice[id]),
  );
  return renderRows([
    ['device', ...runs.map(({ variant }) => variant)],
    ...devices.map(({ id, name }) => [name, ...runs.map((run) => describeFunction(run, id))]),
  ]);
}

/** Whether a device's messages got through, and how many. */
export function describeFunction({ latency }: LabSummary, device: string): string {
  const up = latency.byDevice[device]?.up;
  if (!up || up.sent === 0) return '–';
  const arrived = up.sent - up.lost;
  const share = arrived / up.sent;
  const word = share < DEAD_BELOW ? 'dead' : share < WHOLE_FROM ? 'impaired' : 'works';
  return `${word} (${arrived} of ${up.sent})`;
}
