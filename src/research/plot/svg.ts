// Plots as SVG text: lines over a shared axis in one or more panels, and heat maps.
import { drawHeading } from './legend.ts';
import type { LinePlot, Panel, PlotEvent, Series } from './line-plot.ts';
import { element, label, type Picture, picture, pixel, textWidth } from './markup.ts';
import { colourOf } from './palette.ts';
import { makeScale, type Scale } from './scale.ts';

export { type HeatMap, plotHeatMap } from './heat-map.ts';
export type { LinePlot, Panel, PlotEvent, Series } from './line-plot.ts';
export { escapeText } from './markup.ts';

const margin = { top: 40, right: 18, bottom: 46, left: 66 };

/** Draws lines: rates over time, a figure over a parameter. */
export function plotLines(plot: LinePlot): string {
  const width = plot.width ?? 900;
  const panelHeight = plot.panelHeight ?? (plot.panels.length > 2 ? 120 : 220);
  const right = width - margin.right;
  const [xFrom, xTo] = extent(
    plot.panels.flatMap((panel) => panel.series.flatMap((series) => series.points.map(([x]) => x))),
    { from: plot.xFrom, to: plot.xTo, log: plot.xLog },
  );
  const x = makeScale({
    from: xFrom,
    to: xTo,
    fromPixel: margin.left,
    toPixel: right,
    count: Math.floor((right - margin.left) / 80),
    log: plot.xLog,
  });

  let body = label(plot.title, { x: margin.left, y: 24, class: 'plot-title' });
  let top = margin.top;
  for (const panel of plot.panels) {
    const drawn = drawPanel(panel, x, {
      top,
      left: margin.left,
      right,
      height: panelHeight,
      xFrom,
      xTo,
    });
    body += drawn.body;
    top = drawn.bottom;
  }
  for (const tick of x.ticks) {
    body += label(x.format(tick), {
      x: x.at(tick),
      y: top + 16,
      'text-anchor': 'middle',
      class: 'plot-tick',
    });
  }
  body += label(plot.xLabel, {
    x: (margin.left + right) / 2,
    y: top + 36,
    'text-anchor': 'middle',
  });
  const result: Picture = { width, height: top + margin.bottom, title: plot.title, body };
  if (plot.description) result.description = plot.description;
  return picture(result);
}

interface Frame {
  top: number;
  left: number;
  right: number;
  height: number;
  xFrom: number;
  xTo: number;
}

function drawPanel(panel: Panel, x: Scale, frame: Frame): { body: string; bottom: number } {
  const { left, right, height, xFrom, xTo } = frame;
  const events = (panel.events ?? []).filter((event) => event.x >= xFrom && event.x <= xTo);
  let body = '';
  let top = frame.top;
  const heading = drawHeading(panel, left, right, top + 12);
  body += heading.body;
  top += heading.height;
  const rows = placeEventLabels(events, x, right);
  top += Math.max(...rows.map((row) => row + 1), 0) * 12;
  const bottom = top + height;

  const [yFrom, yTo] = extent(
    [
      ...panel.series.flatMap((series) => series.points.map(([, y]) => y)),
      ...(panel.references ?? []).map((reference) => reference.y),
    ],
    { from: lowestY(panel), to: panel.yTo, log: panel.yLog, room: true },
  );
  const y = makeScale({
    from: yFrom,
    to: yTo,
    fromPixel: bottom,
    toPixel: top,
    count: Math.max(2, Math.floor(height / 40)),
    ...(panel.yLog ? { log: true } : {}),
  });

  for (const tick of y.ticks) {
    body += element('path', {
      d: `M${left} ${pixel(y.at(tick))}H${pixel(right)}`,
      stroke: '#e4e4e4',
    });
    body += label(y.format(tick), {
      x: left - 7,
      y: y.at(tick) + 4,
      'text-anchor': 'end',
      class: 'plot-tick',
    });
  }
  for (const tick of x.ticks) {
    body += element('path', { d: `M${pixel(x.at(tick))} ${pixel(bottom)}v5`, stroke: '#888888' });
  }
  events.forEach((event, i) => {
    const at = x.at(event.x);
    const labelY = top - 4 - rows[i]! * 12;
    body += element('path', {
      d: `M${pixel(at)} ${pixel(event.label ? labelY + 1 : top)}V${pixel(bottom)}`,
      stroke: '#7a1f5c',
      'stroke-dasharray': '4 3',
      'stroke-opacity': 0.75,
    });
    if (event.label) {
      const flip = at + textWidth(event.label, 10) + 3 > right;
      body += label(event.label, {
        x: at + (flip ? -3 : 3),
        y: labelY + 1,
        'text-anchor': flip ? 'end' : 'start',
        class: 'plot-event',
      });
    }
  });
  // A nested picture clips what lies outside the axes without needing an id, which would collide in one page.
  body += element(
    'svg',
    {
      x: left,
      y: top - 4,
      width: right - left + 4,
      height: height + 5,
      viewBox: `${pixel(left)} ${pixel(top - 4)} ${pixel(right - left + 4)} ${pixel(height + 5)}`,
    },
    panel.series
      .map((series, i) => drawSeries(series, series.colour ?? colourOf(i), x, y))
      .join(''),
  );
  for (const reference of panel.references ?? []) {
    const at = y.at(reference.y);
    body += element('path', {
      d: `M${left} ${pixel(at)}H${pixel(right)}`,
      stroke: '#333333',
      'stroke-dasharray': '2 3',
    });
    body += label(reference.label, {
      x: right - 4,
      y: at - 4,
      'text-anchor': 'end',
      class: 'plot-tick',
    });
  }
  body += element('path', {
    d: `M${left} ${pixel(top)}V${pixel(bottom)}H${pixel(right)}`,
    stroke: '#888888',
    fill: 'none',
  });
  const middle = (top + bottom) / 2;
  body += label(panel.yLabel, {
    x: 16,
    y: middle,
    'text-anchor': 'middle',
    transform: `rotate(-90 16 ${pixel(middle)})`,
  });
  return { body, bottom: bottom + (height < 100 ? 10 : 14) };
}

/** Rows for event labels, from 0 up, so that none runs into another. */
function placeEventLabels(events: readonly PlotEvent[], x: Scale, right: number): number[] {
  const ends: number[] = [];
  return events.map((event) => {
    if (!event.label) return -1;
    const width = textWidth(event.label, 10) + 8;
    const start = x.at(event.x) + width > right ? x.at(event.x) - width : x.at(event.x);
    const free = ends.findIndex((end) => end <= start);
    // Beyond three rows labels would take more room than the data; they overlap there.
    const row = free >= 0 ? free : Math.min(ends.length, 2);
    ends[row] = start + width;
    return row;
  });
}

function drawSeries(series: Series, stroke: string, x: Scale, y: Scale): string {
  const style = series.style ?? 'line';
  if (style === 'points') {
    return element(
      'g',
      { fill: stroke, 'fill-opacity': 0.75 },
      series.points
        .filter(([, value]) => Number.isFinite(y.at(value)))
        .map(([at, value]) => element('circle', { cx: x.at(at), cy: y.at(value), r: 2.5 }))
        .join(''),
    );
  }
  let path = '';
  let drawing = false;
  for (const [at, value] of series.points) {
    const px = x.at(at);
    const py = y.at(value);
    if (!Number.isFinite(px) || !Number.isFinite(py)) {
      drawing = false;
      continue;
    }
    if (!drawing) path += `M${pixel(px)} ${pixel(py)}`;
    else path += style === 'step' ? `H${pixel(px)}V${pixel(py)}` : `L${pixel(px)} ${pixel(py)}`;
    drawing = true;
  }
  return element('path', {
    d: path || 'M0 0',
    fill: 'none',
    stroke,
    'stroke-width': 1.6,
    'stroke-linejoin': 'round',
    'stroke-dasharray': series.dashed ? '5 3' : undefined,
  });
}

/** Smallest and largest of the finite values, with room above them, where the plot does not fix them. */
function extent(
  values: number[],
  {
    from,
    to,
    log,
    room,
  }: {
    from?: number | undefined;
    to?: number | undefined;
    log?: boolean | undefined;
    room?: boolean;
  },
): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value) || (log && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!Number.isFinite(low)) [low, high] = log ? [1, 10] : [0, 1];
  // A line drawn along the frame would look cut off.
  if (to === undefined && room)
    high = log ? high * 1.3 : high + (high - Math.min(from ?? low, low)) * 0.08;
  low = from ?? low;
  high = to ?? high;
  if (high <= low) high = log ? low * 10 : low + (Math.abs(low) || 1);
  return [low, high];
}

/** Where the y axis begins: amounts begin at nothing, unless some are negative. */
function lowestY(panel: Panel): number | undefined {
  if (panel.yFrom !== undefined || panel.yLog) return panel.yFrom;
  return panel.series.some((series) => series.points.some(([, y]) => y < 0)) ? undefined : 0;
}
