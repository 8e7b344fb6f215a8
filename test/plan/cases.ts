// The golden cases: configurations and facts, and everything the plan makes of them.
import { readFileSync } from 'node:fs';
import { parseConfig } from '../../src/core/config/config.ts';
import type { Config } from '../../src/core/config/types.ts';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { exampleFacts, planExample } from '../../src/core/plan/example.ts';
import type { EndpointFacts, HomeFacts } from '../../src/core/plan/facts.ts';
import { renderEndpointNft } from '../../src/core/plan/nft/nft-endpoint.ts';
import { renderEndpointOpenVpn } from '../../src/core/plan/openvpn.ts';
import { renderQueue, type SlotClass } from '../../src/core/plan/tc.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';

/** One case: a folder below test/golden, and the files the plan renders there. */
export interface GoldenCase {
  folder: string;
  files: Record<string, string>;
}

/** What differs from the facts of a usual, connected router. */
const homeFacts: Record<string, Partial<HomeFacts>> = {
  default: {},
  shut: { tunnel: null, inner: null },
  unanswered: { inner: null },
  'no-ipv6': {
    inner: {
      prefix4: '10.214.2.0/24',
      prefix6: null,
      resolver4: '10.214.0.1',
      resolver6: null,
    },
  },
  'killswitch-off': {},
  'dns-off': {},
  'no-house': { houseNetdevs: [], housePrefixes: [], houseListing: [] },
  policies: {
    houseNetdevs: ['br-iot', 'br-lan', 'wlan0.guest'],
    housePrefixes: ['192.168.0.0/16', '192.168.1.0/24', 'fd00:1::/64'],
    houseListing: [
      { name: 'br-iot', prefixes: ['192.168.0.0/16'] },
      { name: 'br-lan', prefixes: ['192.168.1.0/24', 'fd00:1::/64'] },
    ],
  },
  // A /22 and a /56, in which low bits tell nobody apart; one device has waited for an address of its own.
  fleet: {
    housePrefixes: ['192.168.1.0/24', '192.168.8.0/22', 'fd00:8::/56'],
    houseListing: [
      { name: 'br-iot', prefixes: ['192.168.8.0/22', 'fd00:8::/56'] },
      { name: 'br-lan', prefixes: ['192.168.1.0/24'] },
    ],
    networkPrefixes: ['192.168.8.0/22', 'fd00:8::/56'],
    innerPlaces: {
      block4: null,
      block6: null,
      places: [
        { address: '192.168.8.11', low: '0.0.0.11', hasShared: false },
        { address: '192.168.9.11', low: '0.0.0.12', hasShared: false },
        { address: '192.168.10.4', low: '0.0.0.4', hasShared: true },
        { address: '192.168.10.5', low: '0.0.0.255', hasShared: true },
        { address: 'fd00:8::11', low: '::11', hasShared: false },
        { address: 'fd00:8:0:1::11', low: '::1', hasShared: false },
      ],
    },
  },
  'own-names': { uid: 453 },
  fastest: {},
};

const vit: Shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 };
const endpoint = {
  ...{
    uid: 0,
    port: 1194,
    tunnelNet: '10.213.0',
    innerNet: '10.214',
    innerNet6: 'fd12:0034:0',
    near: [],
  },
};

const endpointFacts: Record<string, EndpointFacts> = {
  'no-home': { ...endpoint, homes: [] },
  'no-ipv6': {
    ...endpoint,
    innerNet6: null,
    homes: [{ name: 'cottage', host: 2, shape: vit }],
  },
  'one-home': {
    ...{ ...endpoint, uid: 453, near: ['203.0.113.0/24', '198.51.100.7/32', '2001:db8:7::/64'] },
    homes: [{ name: 'cottage', host: 2, shape: vit }],
  },
  'three-homes': {
    ...endpoint,
    homes: [
      { name: 'cottage', host: 2, shape: vit },
      { name: 'away', host: 3, shape: null },
      { name: 'flat_4.b-left', host: 254, shape: { ...vit, rateKBps: 0, packetBytes: 1400 } },
    ],
  },
};

/** Reads a case's UCI file. */
export function caseConfig(name: string): Config {
  return parseConfig(readFileSync(`test/golden/home/${name}/iotshaper`)).config;
}

/** The facts of a case. */
export function caseFacts(name: string): HomeFacts {
  return { ...exampleFacts, ...homeFacts[name] };
}

function homeCase(name: string): GoldenCase {
  const verdict = checkProfile(readFileSync('test/fixtures/openvpn/home.ovpn', 'utf8'), pemReader);
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems));
  const { nft, tc, clock, routes, openvpn } = planExample(
    caseConfig(name),
    verdict.profile,
    caseFacts(name),
  );
  return {
    folder: `home/${name}`,
    files: { 'rules.nft': nft, 'queue.tc': tc, 'clock.tc': clock, routes, 'openvpn.conf': openvpn },
  };
}

/** Classes of the homes that are connected. */
export function caseClasses(facts: EndpointFacts): SlotClass[] {
  return facts.homes.flatMap(({ host, shape }) =>
    shape === null ? [] : [{ minor: host, shape, isShared: true }],
  );
}

function endpointCase(name: string): GoldenCase {
  const facts = endpointFacts[name]!;
  return {
    folder: `endpoint/${name}`,
    files: {
      'rules.nft': renderEndpointNft(facts),
      'queue.tc': `${renderQueue(caseClasses(facts)).join('\n')}\n`,
      'openvpn.conf': renderEndpointOpenVpn({
        port: 1194,
        isDualStack: facts.innerNet6 !== null,
        certificatePath: '/etc/iotshaper/endpoint/endpoint.crt',
        keyPath: '/etc/iotshaper/endpoint/endpoint.key',
        trust:
          name === 'no-ipv6' || facts.homes.length === 0
            ? {
                fingerprints: facts.homes.map(({ host }) =>
                  Array(32).fill(host.toString(16).padStart(2, '0')).join(':'),
                ),
              }
            : { authorityPath: '/etc/iotshaper/endpoint/homes-ca.crt' },
        clientConfigDir: '/var/run/iotshaper/homes',
        tunnelNet: facts.tunnelNet,
        managementSocket: '/var/run/iotshaper/openvpn.sock',
        queuePackets: 1024,
        plainUser: name === 'no-ipv6' ? null : { user: 'nobody', group: 'nogroup' },
      }),
    },
  };
}

export const homeCases: readonly string[] = Object.keys(homeFacts);

/** Plans and renders every case. */
export function renderGoldenCases(): GoldenCase[] {
  return [...homeCases.map(homeCase), ...Object.keys(endpointFacts).map(endpointCase)];
}

export const goldenCases: readonly GoldenCase[] = renderGoldenCases();
