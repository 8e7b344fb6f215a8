// Which devices are taken for which, in words a terminal holds.
import { renderTable } from '../../../core/plot/text-table.ts';
import type { Validation } from '../cross-validation.ts';

/** Whose windows were told to be whose, a row a device: how many, how many right, what else they were called most. */
export function renderConfusion({ labels, confusion }: Validation): string {
  const rows = labels.map((label, i) => {
    const counts = confusion[i]!;
    const all = counts.reduce((sum, count) => sum + count, 0);
    const others = counts
      .map((count, j) => ({ count, called: labels[j]! }))
      .filter(({ count, called }) => count > 0 && called !== label)
      .sort((a, b) => b.count - a.count);
    const shown = others.slice(0, 3).map(({ count, called }) => `${called} ${count}`);
    if (others.length > 3) shown.push('…');
    return [label, String(all), `${((100 * counts[i]!) / all).toFixed(1)} %`, shown.join(', ')];
  });
  return renderTable(
    [
      { title: 'device' },
      { title: 'windows', right: true },
      { title: 'right', right: true },
      { title: 'else called' },
    ],
    rows,
  );
}
