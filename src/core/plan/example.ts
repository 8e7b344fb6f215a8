// Every artefact of a home for a given configuration, with facts as they would be on a usual router: for `print`, `check`, tests.
import type { Config } from '../config/types.ts';
import type { Profile } from '../openvpn/profile.ts';
import { isPaced, type Shape, shapeOf } from '../stream/stream.ts';
import type { HomeFacts } from './facts.ts';
import { planInsideRoutes } from './inside.ts';
import { CLOCK_END_NETDEV, CLOCK_NETDEV, HOME_CLASS_MINOR } from './names.ts';
import { renderHomeNft } from './nft/nft-home.ts';
import { renderHomeOpenVpn } from './openvpn.ts';
import { renderClock, standingSlots } from './outer-clock.ts';
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
  /** The same of the clock behind OpenVPN. */
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
    tc: `${renderQueue([{ minor: HOME_CLASS_MINOR, shape, isShared: false }]).join('\n')}\n`,
    clock: `${planClock(config, shape).join('\n')}\n`,
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

function planClock(config: Config, shape: Shape): string[] {
  const standing = standingSlots(config, shape);
  if (!isPaced(shape) || standing === 0) return ['# no clock behind OpenVPN'];
  return [
    `# ip link add ${CLOCK_NETDEV} type veth peer name ${CLOCK_END_NETDEV}`,
    ...renderClock(HOME_CLASS_MINOR, standing, shape),
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
