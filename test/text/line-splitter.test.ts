// Lines out of pieces that end anywhere.
import test from 'ava';
import { LineSplitter, linesOf } from '../../src/core/text/line-splitter.ts';

test('lines may end in LF alone; what has no end yet is held back', (t) => {
  const splitter = new LineSplitter();
  t.deepEqual(splitter.push('a\nb'), ['a']);
  t.deepEqual(splitter.push(''), []);
  t.deepEqual(splitter.push('c\n\n'), ['bc', '']);
});

test('an endless line is cut, not kept', (t) => {
  const splitter = new LineSplitter();
  for (let i = 0; i < 100; i++) t.deepEqual(splitter.push('x'.repeat(10_000)), []);
  const [line] = splitter.push('\n>HOLD:x:1\n');
  t.is(line!.length, 65_536);
});

test('bytes split anywhere, inside a character and between CR and LF too, are the same lines', async (t) => {
  const bytes = new TextEncoder().encode('größer\r\n\r\n€ 5\nlast');
  for (let at = 0; at <= bytes.length; at++) {
    async function* pieces() {
      yield bytes.subarray(0, at);
      yield bytes.subarray(at);
    }
    const lines: string[] = [];
    for await (const line of linesOf(pieces())) lines.push(line);
    t.deepEqual(lines, ['größer', '', '€ 5', 'last'], `split at ${at}`);
  }
});

test('the end of a text is no line of its own', (t) => {
  const splitter = new LineSplitter();
  t.deepEqual(splitter.push('a\n'), ['a']);
  t.deepEqual(splitter.end(), []);
  t.deepEqual(splitter.push('b\r'), []);
  t.deepEqual(splitter.end(), ['b']);
});
