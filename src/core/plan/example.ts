// Every artefact of a home for a given configuration, with facts as they would be on a usual router: for `print`, `check`, tests.
import type { Config } from '../config/types.ts';
import type { Profile } from '../openvpn/profile.ts';
import { isPaced, type Shape, shapeOf } from '../stream/stream.ts';
import type { HomeFacts } from './facts.ts';
import { planInsideRoutes } from './inside.ts';
import { CLOCK_NETDEV, HOME_CLASS_MINOR } from './names.ts';
import { renderHomeNft } from './nft/nft-home.ts';
import { renderHomeOpenVpn } from './openvpn.ts';
import { renderClock, renderClockFilter } from './outer-clock.ts';
import { planRoutes, ruleWords } from './routes.ts';
import { renderQueue } from './tc.ts';

/** Facts of a router that is connected: what the endpoint assigns and the kernel tells is made up here. */
export const exampleFacts: HomeFacts = {
  uid: 0,
  houseNetdevs: ['br-iot', 'br-lan'],
  housePrefixes: ['192.168.1.0/24', '192.168.8.0/24'],
  houseListing: [
    { name: 'br-iot', prefixes: ['192.168.8.0/24'] },
    { name: 'br-lan', prefixes: ['192.168.1.0/24'] },
  ],
  uplinks: ['wan'],
  networkPrefixes: [],
  networkPorts: [],
  networkLost: false,
  followed: [],
  sharedNetdevs: [],
  inside: { tunnel: '10.213.0.0/24', inner4: '10.214.0.0/16', inner6: 'fd12:3456:789a::/48' },
  tunnel: { local: '10.213.0.2', peer: '10.213.0.1' },
  inner: {
    prefix4: '10.214.2.0/24',
    prefix6: 'fd12:3456:789a:2::/64',
    resolver4: '10.214.0.1',
    resolver6: 'fd12:3456:789a::1',
  },
  innerPlaces: { block4: '192.168.8.0/24', block6: 'fd00:8::/64', places: [] },
};

export interface PlanText {
  nft: string;
  tc: string;
  /** The same of the clock behind OpenVPN, on a netdev `wan` that leads to the endpoint. */
  clock: string;
  /** `ip` commands, one a line. */
  routes: string;
  /** OpenVPN's configuration, without secrets; empty without a profile. */
  openvpn: string;
}

/** Renders the whole plan as text a person can read and feed to the real tools. */
export function planExample(
  config: Config,
  profile: Profile | null,
  facts: HomeFacts = exampleFacts,
): PlanText {
  const shape = shapeOf(config, config.main.rate.uploadKBps);
  const routes = [
    ...planInsideRoutes(facts.inside).map(
      ({ family, words }) => `ip -${family} route replace ${words.join(' ')}`,
    ),
    ...planRoutes(config, facts).flatMap(({ family, rules, routes: table }) => [
      ...table.map((route) => `ip -${family} route replace ${route.join(' ')}`),
      ...rules.map((rule) => `ip -${family} rule add ${ruleWords(rule).join(' ')}`),
    ]),
  ];
  return {
    nft: renderHomeNft(config, facts),
    tc: `${renderQueue([{ minor: HOME_CLASS_MINOR, shape, destination: null }]).join('\n')}\n`,
    clock: `${planClock(shape).join('\n')}\n`,
    routes: `${routes.join('\n')}\n`,
    openvpn: profile
      ? renderHomeOpenVpn({
          profile: withoutSecrets(profile),
          managementSocket: '/var/run/iotshaper/openvpn.sock',
          queuePackets: 1024,
          plainUser: { user: 'nobody', group: 'nogroup' },
        })
      : '',
  };
}

function planClock(shape: Shape): string[] {
  if (!isPaced(shape)) return ['# a plain tunnel has no clock'];
  const way = { netdev: 'wan', index: 2, address: '203.0.113.10', port: 1194 };
  return [
    `# on a netdev of its own: ip link add ${CLOCK_NETDEV} type ifb`,
    ...renderClock(HOME_CLASS_MINOR, shape),
    `qdisc add dev ${way.netdev} clsact`,
    renderClockFilter(way),
  ];
}

/** A key never leaves its file. */
function withoutSecrets(profile: Profile): Profile {
  const { certificate } = profile.identity;
  return {
    ...profile,
    identity: { certificate, key: '(not shown)' },
    controlKey: new Uint8Array(profile.controlKey.length),
  };
}
