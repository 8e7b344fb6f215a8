// A grid of cells coloured by value, each with its figure in it.
import { element, label, type Picture, picture, textWidth } from './markup.ts';
import { heatColour } from './palette.ts';

export interface HeatMap {
  title: string;
  description?: string;
  xLabel: string;
  yLabel: string;
  /** Names of columns and rows; the first row is drawn at the bottom. */
  columns: readonly string[];
  rows: readonly string[];
  /** `values[row][column]`; null or not finite where there is none. */
  values: readonly (readonly (number | null)[])[];
  /** What the darkest and the lightest colour stand for; the data's own extent where missing. */
  from?: number;
  to?: number;
  /** Text in a cell, and on the legend. */
  format?: (value: number) => string;
}

const cell = { width: 62, height: 34 };
const top = 50;

/** Draws a heat map with a legend. */
export function plotHeatMap(map: HeatMap): string {
  const format = map.format ?? ((value: number) => value.toFixed(2));
  const known = map.values.flat().filter((value): value is number => Number.isFinite(value));
  const from = map.from ?? Math.min(...known, Number.MAX_VALUE);
  const to = map.to ?? Math.max(...known, -Number.MAX_VALUE);
  const left = 52 + Math.max(...map.rows.map((row) => textWidth(row)), 20);
  const bottom = top + map.rows.length * cell.height;
  const right = left + map.columns.length * cell.width;

  let body = label(map.title, { x: 16, y: 26, class: 'plot-title' });
  map.rows.forEach((row, r) => {
    const y = bottom - (r + 1) * cell.height;
    body += label(row, {
      x: left - 8,
      y: y + cell.height / 2 + 4,
      'text-anchor': 'end',
      class: 'plot-tick',
    });
    map.columns.forEach((_, c) => {
      body += drawCell(map.values[r]?.[c], left + c * cell.width, y, { from, to, format });
    });
  });
  map.columns.forEach((column, c) => {
    body += label(column, {
      x: left + (c + 0.5) * cell.width,
      y: bottom + 17,
      'text-anchor': 'middle',
      class: 'plot-tick',
    });
  });
  body += label(map.xLabel, { x: (left + right) / 2, y: bottom + 40, 'text-anchor': 'middle' });
  const middle = (top + bottom) / 2;
  body += label(map.yLabel, {
    x: 18,
    y: middle,
    'text-anchor': 'middle',
    transform: `rotate(-90 18 ${middle})`,
  });
  if (known.length > 0) body += drawLegend(right + 26, top, bottom, format(from), format(to));

  const width = Math.max(right + 110, textWidth(map.title, 16) + 40);
  const result: Picture = { width, height: bottom + 54, title: map.title, body };
  if (map.description) result.description = map.description;
  return picture(result);
}

interface Range {
  from: number;
  to: number;
  format: (value: number) => string;
}

function drawCell(value: number | null | undefined, x: number, y: number, range: Range): string {
  const missing = value === null || value === undefined || !Number.isFinite(value);
  const colour = missing
    ? { fill: '#eeeeee', text: '#666666' }
    : heatColour((value - range.from) / (range.to - range.from || 1));
  return (
    element('rect', { x, y, width: cell.width - 1, height: cell.height - 1, fill: colour.fill }) +
    label(missing ? '–' : range.format(value), {
      x: x + cell.width / 2,
      y: y + cell.height / 2 + 4,
      'text-anchor': 'middle',
      style: `fill:${colour.text}`,
    })
  );
}

function drawLegend(x: number, y: number, bottom: number, low: string, high: string): string {
  const steps = 24;
  const height = (bottom - y) / steps;
  let body = '';
  for (let i = 0; i < steps; i++) {
    const { fill } = heatColour(1 - (i + 0.5) / steps);
    body += element('rect', { x, y: y + i * height, width: 14, height: height + 0.5, fill });
  }
  body += label(high, { x: x + 20, y: y + 10, class: 'plot-tick' });
  return body + label(low, { x: x + 20, y: bottom - 1, class: 'plot-tick' });
}
