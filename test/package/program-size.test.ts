// What a router has of the program: how much, and nothing it has no use for.
import test from 'ava';
import { bytesOf, programFiles, routerParts, serviceParts } from './program-files.ts';

const research = (path: string) => path.startsWith('src/research/');

/** Sources in these parts of the program, by a word for what they are. */
function sourcesOf(parts: readonly string[]): string[] {
  return programFiles(parts).flatMap(({ sources }) => [...sources.keys()]);
}

test('a service is read in less than 343 kB, and what decides which part to read in less than 60', (t) => {
  const service = bytesOf(programFiles(serviceParts));
  t.true(service > 100_000 && service < 343_000, `${service} bytes`);
  const start = bytesOf(programFiles(['iotshaper']));
  t.true(start < 60_000, `${start} bytes`);
});

test('all that a router has is less than 478 kB', (t) => {
  const all = bytesOf(programFiles(routerParts));
  t.true(all < 478_000, `${all} bytes`);
});

test('no research is in what a router has', (t) => {
  t.deepEqual(sourcesOf(routerParts).filter(research), []);
  t.true(sourcesOf(['iotshaper-research']).filter(research).length > 50);
});

test('what an endpoint alone says is not in what a router has', (t) => {
  const words = 'src/core/notices/words/endpoint.ts';
  t.false(sourcesOf(routerParts).includes(words));
  t.true(sourcesOf(['iotshaper-endpoint']).includes(words));
});

test('a source is in one file of a router, and a library that judges configurations is not in it whole', (t) => {
  const sources = sourcesOf(routerParts);
  t.deepEqual(
    sources.filter((path, at) => sources.indexOf(path) !== at),
    [],
  );
  const libraries = sources.flatMap((path) => /node_modules\/([^/]+)/.exec(path)?.[1] ?? []);
  t.deepEqual([...new Set(libraries)].sort(), ['commander', 'ip-cidr']);
});
