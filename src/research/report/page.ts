// One HTML file with all it needs: readable in the dark and in the light, on a phone and on paper.
import { escapeText } from '../plot/markup.ts';

/** A part of a report. `html` is markup already. */
export interface Section {
  title: string;
  html: string;
  /** The command that makes its figures again. */
  madeBy: string;
}

export interface PageOptions {
  title: string;
  /** What stands under the title: sentences. */
  lines: readonly string[];
}

const style = `
:root{color-scheme:light dark;--ink:#1c1c1c;--paper:#fff;--line:#cfcfcf;--soft:#5a5a5a;--band:#f4f4f4}
@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--paper:#161616;--line:#444;--soft:#a5a5a5;--band:#222}
figure svg{filter:invert(.91) hue-rotate(180deg)}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.2rem;margin-top:2.5rem;border-top:1px solid var(--line);padding-top:1rem}
h3{font-size:1rem;margin-bottom:.3rem}p{max-width:42rem}.soft{color:var(--soft)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .6rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{white-space:nowrap}.n{text-align:right;white-space:nowrap}tbody tr:nth-child(even){background:var(--band)}
figure{margin:1rem 0;overflow-x:auto}figure svg{max-width:100%;height:auto}
@media screen and (max-width:44rem){figure svg{max-width:none;width:40rem}td:last-child:not(.n){min-width:16rem}}
code{font:.82rem/1.4 ui-monospace,monospace;overflow-wrap:anywhere;white-space:pre-wrap}
@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--line:#bbb;--soft:#444;--band:#f4f4f4}
figure svg{filter:none}h2{break-after:avoid}figure,tr{break-inside:avoid}.wide{overflow:visible}body{max-width:none;font-size:11pt}}
`;

/** The whole file. It loads nothing, so that it can be handed on as it is. */
export function renderPage({ title, lines }: PageOptions, sections: readonly Section[]): string {
  const body = sections.map(
    ({ title: heading, html, madeBy }) =>
      `<section><h2>${escapeText(heading)}</h2>${html}<p class="soft">Made again by: <code>${escapeText(madeBy)}</code></p></section>`,
  );
  const head = lines.map((line) => `<p>${escapeText(line)}</p>`);
  return (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width,initial-scale=1">' +
    `<title>${escapeText(title)}</title><style>${style}</style></head>\n` +
    `<body><h1>${escapeText(title)}</h1>${head.join('')}\n${body.join('\n')}\n</body></html>\n`
  );
}

export interface HtmlColumn {
  title: string;
  /** A figure: to the right. */
  isNumber?: boolean;
}

/** A table that scrolls by itself where the page is narrow. */
export function renderHtmlTable(
  columns: readonly HtmlColumn[],
  rows: readonly (readonly string[])[],
): string {
  const cell = (tag: string, text: string, column: HtmlColumn | undefined) =>
    `<${tag}${column?.isNumber ? ' class="n"' : ''}>${escapeText(text)}</${tag}>`;
  const head = columns.map((column) => cell('th', column.title, column)).join('');
  const body = rows.map(
    (row) => `<tr>${row.map((text, i) => cell('td', text, columns[i])).join('')}</tr>`,
  );
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

/** A paragraph of text. */
export function paragraph(text: string): string {
  return `<p>${escapeText(text)}</p>`;
}

/** A plot as `plotLines` and its like make it. */
export function figureOf(svg: string): string {
  return `<figure>${svg}</figure>`;
}
