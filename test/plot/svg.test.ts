// Plots: well-formed, escaped, with ticks where they belong.
import test from 'ava';
import fc from 'fast-check';
import { renderTable } from '../../src/core/plot/text-table.ts';
import { heatColour, seriesColours } from '../../src/research/plot/palette.ts';
import { formatNumber, linearTicks, makeScale, niceStep } from '../../src/research/plot/scale.ts';
import { escapeText, type LinePlot, plotHeatMap, plotLines } from '../../src/research/plot/svg.ts';
import { anyCharacter } from '../any-character.ts';
import { runs } from '../property-runs.ts';

/** Fails unless every element is closed in order, every attribute quoted, and no number is missing. */
function checkMarkup(svg: string): string | null {
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?: [a-zA-Z:-]+="[^"<]*")*)(\/?)>/g,
    (_, end, name, _attributes, empty) => {
      if (end) {
        if (open.pop() !== name) open.push('wrong');
      } else if (!empty) open.push(name);
      return '';
    },
  );
  if (open.length > 0) return `open: ${open}`;
  if (/[<>]/.test(rest) || /&(?!#\d+;)/.test(svg)) return 'a sign that is not escaped';
  if (
    /NaN|Infinity|undefined|null/.test(
      svg.replace(/<text[^>]*>[^<]*<\/text>|<(title|desc)>[^<]*/g, ''),
    )
  ) {
    return 'a number that is none';
  }
  return null;
}

const plot: LinePlot = {
  title: 'T',
  xLabel: 'x',
  panels: [
    {
      title: 'one',
      yLabel: 'y',
      series: [
        {
          name: 'a',
          points: [
            [0, 1],
            [5, 4],
            [10, 2],
          ],
        },
        {
          name: 'b',
          points: [
            [0, 2],
            [10, Number.NaN],
          ],
          style: 'step',
          dashed: true,
        },
        { name: 'c', points: [[3, 3]], style: 'points' },
      ],
      events: [{ x: 5, label: 'event' }, { x: 9 }, { x: 99, label: 'outside' }],
      references: [{ y: 3, label: 'limit' }],
    },
    {
      yLabel: 'log',
      yLog: true,
      series: [
        {
          name: '',
          points: [
            [0, 0],
            [1, 10],
            [10, 1000],
          ],
        },
      ],
    },
  ],
};

test('a plot is well-formed and shows what it was given', (t) => {
  const svg = plotLines(plot);
  t.is(checkMarkup(svg), null);
  for (const text of ['>T<', '>one<', '>a<', '>b<', '>c<', '>event<', '>limit<', '>1\u202f000<']) {
    t.true(svg.includes(text), text);
  }
  t.false(svg.includes('outside'));
});

test('a line goes through its points', (t) => {
  const svg = plotLines({
    title: '',
    xLabel: '',
    width: 184,
    panelHeight: 100,
    panels: [
      {
        yLabel: '',
        yTo: 10,
        series: [
          {
            name: '',
            points: [
              [0, 0],
              [5, 10],
              [10, 5],
            ],
          },
        ],
      },
    ],
  });
  // Axes from (66, 140) to (166, 40).
  t.regex(svg, /d="M66 140L116 40L166 90"/);
  const step = plotLines({
    title: '',
    xLabel: '',
    width: 184,
    panelHeight: 100,
    panels: [
      {
        yLabel: '',
        yTo: 10,
        series: [
          {
            name: '',
            style: 'step',
            points: [
              [0, 0],
              [5, 10],
              [10, 5],
            ],
          },
        ],
      },
    ],
  });
  t.regex(step, /d="M66 140H116V40H166V90"/);
});

test('no text can leave its place', (t) => {
  const text = fc.string({ unit: anyCharacter, maxLength: 30 });
  const number = fc.oneof(
    fc.double({ min: -1e15, max: 1e15 }),
    fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE),
  );
  fc.assert(
    fc.property(text, text, fc.array(number, { maxLength: 5 }), (a, b, values) => {
      const points = values.map((value, i): [number, number] => [i, value]);
      const svg = plotLines({
        title: a,
        description: b,
        xLabel: b,
        panels: [
          { title: b, yLabel: a, series: [{ name: a, points }], events: [{ x: 0, label: b }] },
        ],
      });
      const map = plotHeatMap({
        title: a,
        xLabel: b,
        yLabel: a,
        columns: [a],
        rows: [b],
        values: [[values[0] ?? null]],
      });
      return checkMarkup(svg) === null && checkMarkup(map) === null;
    }),
    { numRuns: runs(300) },
  );
  t.is(escapeText(`<a href="x">'&\u0000`), '&#60;a href=&#34;x&#34;&#62;&#39;&#38;');
});

test('empty plots are plots', (t) => {
  t.is(
    checkMarkup(plotLines({ title: 'e', xLabel: 'x', panels: [{ yLabel: 'y', series: [] }] })),
    null,
  );
  t.is(
    checkMarkup(
      plotHeatMap({ title: 'e', xLabel: 'x', yLabel: 'y', columns: [], rows: [], values: [] }),
    ),
    null,
  );
});

test('a heat map writes each value, and a dash where there is none', (t) => {
  const svg = plotHeatMap({
    title: 'm',
    xLabel: 'x',
    yLabel: 'y',
    columns: ['1', '2'],
    rows: ['r'],
    values: [[0.25, null]],
    from: 0,
    to: 1,
  });
  t.is(checkMarkup(svg), null);
  t.true(
    svg.includes('>0.25<') &&
      svg.includes('>–<') &&
      svg.includes('>0.00<') &&
      svg.includes('>1.00<'),
  );
});

test('ticks are round, in range and in order', (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
      fc.integer({ min: 2, max: 12 }),
      (from, span, count) => {
        const ticks = linearTicks(from, from + span, count);
        const step = niceStep(span / count);
        return (
          ticks.length <= count + 1 &&
          ticks.every(
            (tick, i) =>
              tick >= from - step * 1e-6 &&
              tick <= from + span + step * 1e-6 &&
              (i === 0 || tick > ticks[i - 1]!),
          )
        );
      },
    ),
  );
  t.deepEqual(linearTicks(0, 1, 4), [0, 0.25, 0.5, 0.75, 1]);
  t.deepEqual([0.9, 1, 1.1, 2.1, 4, 30].map(niceStep), [1, 1, 2, 2.5, 5, 50]);
});

test('a logarithmic scale has equal steps for equal ratios', (t) => {
  const scale = makeScale({ from: 1, to: 1000, fromPixel: 0, toPixel: 300, count: 3, log: true });
  t.deepEqual(
    [1, 10, 100, 1000].map((value) => Math.round(scale.at(value))),
    [0, 100, 200, 300],
  );
  t.deepEqual(scale.ticks, [1, 10, 100, 1000]);
});

test('tick labels have as many decimals as tell them apart', (t) => {
  const labels = (from: number, to: number, count: number) => {
    const scale = makeScale({ from, to, fromPixel: 0, toPixel: 1, count });
    return scale.ticks.map(scale.format);
  };
  t.deepEqual(labels(0, 1, 4), ['0.00', '0.25', '0.50', '0.75', '1.00']);
  t.deepEqual(labels(-1, 1, 2), ['−1', '0', '1']);
  t.deepEqual(labels(0, 20000, 2), ['0', '10\u202f000', '20\u202f000']);
  t.deepEqual([0, 0.00012346, 12.3456, 1234567].map(formatNumber), [
    '0',
    '0.0001235',
    '12.35',
    '1\u202f234\u202f567',
  ]);
});

test('colours of a series are distinct, and text on heat is readable', (t) => {
  t.is(new Set(seriesColours).size, seriesColours.length);
  t.deepEqual([heatColour(0).text, heatColour(1).text], ['#ffffff', '#111111']);
  t.is(heatColour(-1).fill, heatColour(0).fill);
});

test('a table lines up', (t) => {
  const columns = [{ title: 'name' }, { title: 'n', right: true }];
  t.is(
    renderTable(columns, [
      ['a', '1'],
      ['grün', '10'],
    ]),
    'name   n\na      1\ngrün  10\n',
  );
});
