// Tables in plain text.

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
