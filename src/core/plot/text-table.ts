// Tables in plain text, and the figures in them.

/** Columns of a table: their titles, and which hold figures and so stand to the right. */
export interface Column {
  title: string;
  right?: boolean;
}

/** Renders rows in aligned columns, two spaces apart, each line ended. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, c) =>
    Math.max(...lines.map((line) => [...(line[c] ?? '')].length)),
  );
  return lines
    .map((line) => {
      const cells = columns.map(({ right }, c) => {
        const text = line[c] ?? '';
        const room = ' '.repeat(widths[c]! - [...text].length);
        return right ? room + text : text + room;
      });
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** The same for rows whose first holds the titles: `leftColumns` columns of words, then figures. */
export function renderRows(rows: readonly (readonly string[])[], leftColumns = 1): string {
  const [titles, ...rest] = rows;
  return renderTable(
    titles!.map((title, i) => ({ title, right: i >= leftColumns })),
    rest,
  );
}

/** Three digits, no more than one behind the point above 10. */
export function figure(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
