// What the commands that look at traffic make of it before they attack: who is called what, seen from where.
import { usageFailure } from '../../shell/cli/failure.ts';
import { readTextFile } from '../../shell/cli/text-file.ts';
import type { System } from '../../shell/system/system.ts';
import type { View } from '../analysis/identify/flows.ts';
import type { ObservedCapture } from '../analysis/identify/identify.ts';
import { defaultLabels, type Labels, parseLabels } from '../analysis/labels.ts';
import type { ObservedFile } from '../capture/observed.ts';

/** The labels known anyway, and before them those of --labels. */
export async function readLabels(system: System, file: string | undefined): Promise<Labels> {
  if (!file) return defaultLabels();
  return parseLabels(await readTextFile(system, '--labels', file), file, defaultLabels());
}

/** Where the observer stands: as --view says, or as all tables of who talks to whom look. */
export function viewOf(observed: readonly ObservedFile[], asked = 'auto'): View {
  if (asked === 'lan' || asked === 'wan') return asked;
  if (asked !== 'auto') throw usageFailure(`--view is "${asked}", expected lan, wan or auto`);
  const tables = observed.flatMap(({ table }) => table ?? []);
  return tables.length > 0 && tables.every((table) => table.guessView() === 'wan') ? 'wan' : 'lan';
}

/** Each file's streams, as they are told apart from there. */
export function capturesOf(observed: readonly ObservedFile[], view: View): ObservedCapture[] {
  return observed.map(({ file, table, trace }) => {
    if (table) return { file, fromS: table.firstS, toS: table.lastS, streams: table.streams(view) };
    // One device's packets, and the file's name is all that is known of it.
    const { fromS, toS, ...counts } = trace!;
    const stream = { key: file, mac: null, addresses: [], names: [], ...counts };
    return { file, fromS, toS, streams: [stream] };
  });
}

/** Names that anybody asked for or was called by. */
export function namesIn(observed: readonly ObservedFile[]): Set<string> {
  return new Set(observed.flatMap(({ table }) => (table ? [...table.book.all()] : [])));
}
