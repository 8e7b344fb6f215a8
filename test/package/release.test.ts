// What is published: packages, checksums, a bill of materials, the same by every version of Node.js.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { build, temporaryFolder } from './archive.ts';

interface Component {
  name: string;
  scope?: string;
  purl?: string;
  hashes?: { content: string }[];
  properties?: { name: string; value: string }[];
}

test('a release has all packages, an index beside them, and the sums of each file', (t) => {
  const folder = join(temporaryFolder(t), 'release');
  build('release', folder);
  const files = readdirSync(folder).sort();
  const kinds = files.map((name) => name.replace(/\d+\.\d+\.\d+/, 'N')).sort();
  t.deepEqual(kinds, [
    'Packages',
    'Packages.gz',
    'SHA256SUMS',
    'iot-shaper-N-r1.apk',
    'iot-shaper-common_N_all.deb',
    'iot-shaper-endpoint_N_all.deb',
    'iot-shaper-home_N_all.deb',
    'iot-shaper-research_N_all.deb',
    'iot-shaper_N-r1_all.ipk',
    'iot-shaper_N.cdx.json',
    'packages.adb',
  ]);
  const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
  t.is(sums.length, files.length - 1);
  for (const line of sums) {
    const [sum, name = ''] = line.split('  ');
    const bytes = readFileSync(join(folder, name));
    t.is(createHash('sha256').update(bytes).digest('hex'), sum);
  }

  const bill = files.find((name) => name.endsWith('.cdx.json'))!;
  const { bomFormat, specVersion, components } = JSON.parse(
    readFileSync(join(folder, bill), 'utf8'),
  ) as { bomFormat: string; specVersion: string; components: Component[] };
  t.deepEqual([bomFormat, specVersion], ['CycloneDX', '1.5']);
  const onRouter = components.filter(({ properties }) =>
    properties?.some(({ value }) => value === 'iot-shaper'),
  );
  t.deepEqual(onRouter.map(({ name }) => name).sort(), ['commander', 'ip-cidr']);
  for (const { scope, purl, hashes } of onRouter) {
    t.is(scope, 'required');
    t.regex(purl!, /^pkg:npm\/[\w-]+@\d/);
    t.is(hashes?.[0]?.content.length, 128);
  }
  // What an endpoint in a fleet reads is bundled into its package alone.
  const isIn = (name: string) => components.find((one) => one.name === name)?.properties;
  for (const name of [
    'pg',
    'pg-protocol',
    'pgpass',
    'prom-client',
    '@opentelemetry/api',
    'tdigest',
  ]) {
    t.deepEqual(isIn(name), [{ name: 'iot-shaper:in', value: 'iot-shaper-endpoint' }], name);
  }
  const oui = components.find(({ name }) => name === 'oui-data');
  t.is(oui?.properties?.[0]?.value, 'iot-shaper-research');
});

test('what is packed is the same by every version of Node.js, whose zlibs differ', async (t) => {
  const { gzip } = (await import('../../../scripts/archive.mjs' as string)) as {
    gzip: (bytes: Buffer) => Buffer;
  };
  const text = Buffer.from(Array.from({ length: 20_000 }, (_, index) => `${index ** 2},`).join(''));
  const packed = gzip(text);
  t.true(gunzipSync(packed).equals(text));
  t.is(packed.subarray(0, 10).toString('hex'), '1f8b0800000000000203', 'no time, no name');
  t.is(
    createHash('sha256').update(packed).digest('hex'),
    'eedf469b2a61e40c2d3f8ac3ba5297f9d5458c121504aa150d7a1ba26639f46a',
  );
});
