// The UCI parser and writer: what they promise for any input at all.

import test from 'ava';
import fc from 'fast-check';
import { parseUci, UciError, type UciPackage } from '../../src/core/config/uci/uci.ts';
import { packageNameOf } from '../../src/core/config/uci/uci-names.ts';
import { decodeText, encodeText } from '../../src/core/config/uci/uci-text.ts';
import {
  nameSections,
  renderUciExport,
  renderUciFile,
} from '../../src/core/config/uci/uci-writer.ts';
import { runs } from '../property-runs.ts';

const nameCharacters = [...'abzAZ019_'];
const name = fc.string({ unit: fc.constantFrom(...nameCharacters), minLength: 1, maxLength: 12 });
// libuci prints types bare, so those with quotes or semicolons do not survive its own export.
const type = fc.string({
  unit: fc.constantFrom(...nameCharacters, ...'-.@[]+/'),
  minLength: 1,
  maxLength: 12,
});
const bytesWithoutNul = (minLength: number) =>
  fc
    .array(
      fc.oneof(
        fc.constantFrom(...Buffer.from('\'"\\#; \t\r\né')),
        fc.integer({ min: 1, max: 255 }),
      ),
      { minLength, maxLength: 80 },
    )
    .map((bytes) => decodeText(Uint8Array.from(bytes)));
const options = fc
  .uniqueArray(
    fc.tuple(
      name,
      fc.oneof(bytesWithoutNul(1), fc.array(bytesWithoutNul(0), { minLength: 1, maxLength: 4 })),
    ),
    { selector: ([option]) => option, maxLength: 6 },
  )
  .map((entries) => new Map(entries));
const section = fc.record({ type, name: fc.option(name), options });
const uciPackage = fc
  .uniqueArray(section, { selector: (one) => one.name ?? Symbol('anonymous'), maxLength: 8 })
  .map(
    (sections): UciPackage => ({
      name: 'any',
      sections: sections.map((one) => ({
        ...one,
        name: one.name ?? '',
        anonymous: one.name === null,
      })),
    }),
  );

/** Made-up names of anonymous sections are libuci's, not the writer's input. */
function withoutMadeUpNames(pkg: UciPackage): UciPackage {
  const sections = pkg.sections.map((one) => (one.anonymous ? { ...one, name: '' } : one));
  return { ...pkg, sections };
}

test('any package exported and parsed again is the same', (t) => {
  fc.assert(
    fc.property(uciPackage, (pkg) => {
      t.deepEqual(withoutMadeUpNames(parseUci(renderUciExport(pkg), 'any')), pkg);
      t.deepEqual(withoutMadeUpNames(parseUci(renderUciFile(pkg), 'any')), pkg);
    }),
    { numRuns: runs(300) },
  );
});

test('text of any bytes comes back as the same bytes', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      t.deepEqual(encodeText(decodeText(bytes)), bytes);
    }),
    { numRuns: runs(1000) },
  );
  t.is(decodeText(Buffer.from('Küche ☕')), 'Küche ☕');
  t.is(decodeText(Uint8Array.of(0x61, 0xff, 0x62)), 'a\udcffb');
});

test('a string is read as the UTF-8 it stands for', (t) => {
  const text = "config device\n\toption name 'Küche ☕'\n";
  t.deepEqual(parseUci(text, 'x'), parseUci(Buffer.from(text), 'x'));
  t.is(parseUci(text, 'x').sections[0]?.options.get('name'), 'Küche ☕');
});

test('an error carries its place', (t) => {
  const error = t.throws(() => parseUci("config a 'b'\n\tfoo x\n", 'x'), { instanceOf: UciError });
  t.like(error, { reason: 'invalid command', line: 2, byte: 1 });
  t.is(error.message, 'uci: Parse error (invalid command) at line 2, byte 1');
});

test('sections without a name get the one libuci makes up', (t) => {
  const pkg = parseUci('config a\nconfig wifi-device\nconfig b c\nconfig a\n', 'x');
  // From `uci -X show` of the same file.
  t.deepEqual(
    pkg.sections.map((one) => one.name),
    ['cfg01b606', 'cfg029e91', 'c', 'cfg04b606'],
  );
  t.deepEqual([...nameSections(pkg).values()], ['@a[0]', '@wifi-device[0]', 'c', '@a[1]']);
});

test('a line full of NUL bytes runs out of memory as it would in libuci, not in here', (t) => {
  const bytes = Buffer.from(`config a b\n${'x\0\n'.repeat(100)}`, 'latin1');
  const error = t.throws(() => parseUci(bytes, 'x'), { instanceOf: UciError });
  t.is(error.message, 'uci: Out of memory');
});

/** The shortest of three runs: what else the machine does lengthens some of them. */
function shortestMs(work: () => void): number {
  const times = [1, 2, 3].map(() => {
    const startedMs = performance.now();
    work();
    return performance.now() - startedMs;
  });
  return Math.min(...times);
}

test('large files take time in proportion', (t) => {
  const parseMany = (count: number) => {
    const many = Buffer.from(`config a\n\tlist x 'y'\n`.repeat(count));
    t.is(parseUci(many, 'x').sections.length, count);
  };
  const parseLong = (lines: number) => {
    const value = Buffer.from(`config a b\n\toption x '${'v\n'.repeat(lines)}'\n`);
    t.is(parseUci(value, 'x').sections[0]?.options.get('x')?.length, 2 * lines);
  };
  for (const [parse, size] of [
    [parseMany, 50],
    [parseLong, 500],
  ] as const) {
    // As much to read in both: whatever slows this machine down slows down both.
    const small = shortestMs(() => {
      for (let count = 0; count < 100; count++) parse(size);
    });
    const large = shortestMs(() => parse(100 * size));
    // Were it the square, 100 times as long.
    t.true(large < 10 * small, `${large} ms, and ${small} ms for a hundred of a hundredth`);
  }
});

test('a package is named after its file', (t) => {
  t.is(packageNameOf('/etc/config/iotshaper'), 'iotshaper');
  t.is(packageNameOf('some/set-as-typed.uci'), 'set_as_typed');
  t.is(packageNameOf('/'), 'config');
});
