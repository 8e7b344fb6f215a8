// Says what the packages are made of, as CycloneDX 1.5 (https://cyclonedx.org): what is bundled, and what built it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { filesOf, fleetParts, mainParts, outputOf, sourceDate, version } from './package-files.mjs';

/** Files of the program, by the package that has them. */
const products = {
  'iot-shaper': mainParts,
  'iot-shaper-common': [...mainParts, 'iotshaper-debian'],
  'iot-shaper-endpoint': ['iotshaper-endpoint', ...fleetParts],
  'iot-shaper-research': ['iotshaper-research'],
};

/**
 * The bill of materials, the same for the same commit.
 *
 * @returns {string} JSON
 */
export function renderSbom() {
  const bundled = bundledPackages();
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const components = Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, found]) => component(path, found, bundled.get(path) ?? []));
  const vendors = readFileSync('dist/vendors.txt');
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      timestamp: new Date(sourceDate() * 1000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': 'iot-shaper',
        name: 'iot-shaper',
        version,
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components: [
      ...components,
      {
        type: 'data',
        'bom-ref': 'vendors.txt',
        name: 'vendors.txt',
        description: 'Prefixes of hardware addresses and their makers, from oui-data',
        hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(vendors).digest('hex') }],
        properties: [{ name: 'iot-shaper:in', value: 'iot-shaper-research' }],
      },
    ],
    dependencies: [
      {
        ref: 'iot-shaper',
        dependsOn: [
          ...components.filter(({ scope }) => scope === 'required').map((one) => one['bom-ref']),
          'vendors.txt',
        ],
      },
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Where each npm package went: our packages, by its folder. @returns {Map<string, string[]>} */
function bundledPackages() {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const [product, parts] of Object.entries(products)) {
    const inputs = filesOf(parts).flatMap((name) => Object.keys(outputOf(name).inputs));
    for (const input of inputs) {
      const path = /(?:^|\/)(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)/.exec(
        input,
      )?.[1];
      if (path === undefined) continue;
      const into = found.get(path) ?? [];
      if (!into.includes(product)) found.set(path, [...into, product]);
    }
  }
  found.set('node_modules/oui-data', ['iot-shaper-research']); // its table, boiled down to vendors.txt
  return found;
}

/**
 * @param {string} path below this folder
 * @param {{ version: string, integrity?: string, license?: string }} found in package-lock.json
 * @param {string[]} into our packages that hold it; none for what only builds or tests
 */
function component(path, { version: of, integrity, license }, into) {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const purl = `pkg:npm/${name.replace('@', '%40')}@${of}`;
  const digest = integrity?.startsWith('sha512-')
    ? Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex')
    : null;
  return {
    type: 'library',
    'bom-ref': path,
    name,
    version: of,
    scope: into.length > 0 ? 'required' : 'excluded',
    ...(digest ? { hashes: [{ alg: 'SHA-512', content: digest }] } : {}),
    ...(license ? { licenses: [{ expression: license.replace(/^\((.*)\)$/, '$1') }] } : {}),
    purl,
    ...(into.length > 0
      ? { properties: into.map((value) => ({ name: 'iot-shaper:in', value })) }
      : {}),
  };
}
