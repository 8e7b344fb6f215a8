// The line above a panel: its title, and which colour is which series.

import type { Panel, Series } from './line-plot.ts';
import { element, label, pixel, textWidth } from './markup.ts';
import { colourOf } from './palette.ts';

const keyWidth = 24;
const gap = 16;
const rowHeight = 18;

/** Draws title and legend from `left` to `right`, the first line's foot at `y`; in as many lines as it takes. */
export function drawHeading(
  { title, series }: Panel,
  left: number,
  right: number,
  y: number,
): { body: string; height: number } {
  const keys = series
    .map((one, i) => ({ one, i, width: keyWidth + textWidth(one.name) }))
    .filter(({ one }) => one.name !== '');
  const legendWidth = keys.reduce((sum, { width }) => sum + width + gap, -gap);
  const titleWidth = title ? textWidth(title) + gap : 0;
  let body = title ? label(title, { x: left, y, class: 'plot-subtitle' }) : '';
  if (keys.length === 0) return { body, height: title ? rowHeight + 2 : 0 };

  const oneLine = titleWidth + legendWidth <= right - left;
  let x = oneLine ? right - legendWidth : left;
  let foot = oneLine || !title ? y : y + rowHeight;
  for (const { one, i, width } of keys) {
    if (x + width > right + 1 && x > left) {
      x = left;
      foot += rowHeight;
    }
    body += drawKey(one, one.colour ?? colourOf(i), x, foot);
    x += width + gap;
  }
  return { body, height: foot - y + rowHeight + 2 };
}

function drawKey({ name, style, dashed }: Series, stroke: string, x: number, y: number): string {
  const mark =
    style === 'points'
      ? element('circle', { cx: x + 12, cy: y - 4, r: 3.5, fill: stroke })
      : element('path', {
          d: `M${pixel(x)} ${pixel(y - 4)}h18`,
          stroke,
          'stroke-width': 2.5,
          'stroke-dasharray': dashed ? '5 3' : undefined,
        });
  return mark + label(name, { x: x + keyWidth, y });
}
