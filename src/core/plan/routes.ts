// Rules and routes by which devices' packets, and nothing else, find the tunnel, and find nothing else without it.
import type { Config } from '../config/types.ts';
import { holds } from '../ip/within.ts';
import type { HomeFacts } from './facts.ts';
import { REFUSING_METRIC } from './inside.ts';
import {
  ADDRESS_PREFERENCE,
  DIRECT_PREFERENCE,
  HOUSE_PREFERENCE,
  HOUSE_TABLE,
  hexMark,
  MARK_DIRECT,
  MARK_MASK,
  MARK_TUNNEL,
  PAST_PREFERENCE,
  ROUTE_PROTOCOL,
  ROUTE_TABLE,
  RULE_PREFERENCE,
} from './names.ts';

/** A policy rule of ours; what is left out matches all. */
export interface PlannedRule {
  preference: number;
  mark?: number;
  from?: string;
  iif?: string;
  /** A table that is looked up, a preference that is gone on with, or nothing that is done. */
  action: { lookup: number } | { goto: number } | 'nop';
}

/** One address family's rules and routes, the routes as words after `ip -4|-6`. */
export interface FamilyRoutes {
  family: 4 | 6;
  /** In the order in which they are added. */
  rules: PlannedRule[];
  /** Words after `route replace`; those of a netdev apply only while it exists. */
  routes: string[][];
}

/** A rule as words after `rule add` or `rule del`. */
export function ruleWords({ preference, mark, from, iif, action }: PlannedRule): string[] {
  return [
    ...['pref', `${preference}`],
    ...(from === undefined ? [] : ['from', from]),
    ...(mark === undefined ? [] : ['fwmark', `${hexMark(mark)}/${hexMark(MARK_MASK)}`]),
    ...(iif === undefined ? [] : ['iif', iif]),
    ...actionWords(action),
    ...['protocol', `${ROUTE_PROTOCOL}`],
  ];
}

function actionWords(action: PlannedRule['action']): string[] {
  if (action === 'nop') return ['nop'];
  return 'goto' in action ? ['goto', `${action.goto}`] : ['lookup', `${action.lookup}`];
}

/** The home's policy routing. With the kill switch there is always a route that says no. */
export function planRoutes(config: Config, facts: HomeFacts): FamilyRoutes[] {
  const marked: PlannedRule = {
    preference: RULE_PREFERENCE,
    mark: MARK_TUNNEL,
    action: { lookup: ROUTE_TABLE },
  };
  return ([4, 6] as const).map((family) => {
    const stop = planSecondStop(config, facts, family);
    return {
      family,
      rules: [marked, ...stop.rules],
      routes: [...defaultsOf(ROUTE_TABLE, config, facts, family), ...stop.routes],
    };
  });
}

/** A table's way into the tunnel, and the refusal behind it. */
function defaultsOf(number: number, config: Config, facts: HomeFacts, family: 4 | 6): string[][] {
  const table = ['proto', `${ROUTE_PROTOCOL}`, 'table', `${number}`];
  const refuse = ['unreachable', 'default', 'metric', REFUSING_METRIC, ...table];
  const through = ['default', 'dev', config.tunnel.interface, 'metric', '10', ...table];
  return family === 4 || facts.inner?.prefix6 ? [refuse, through] : [refuse];
}

/** Whether a device behind what routing rules stop may leave directly all the same. */
export function leavesDirectly({ main, devices }: Config): boolean {
  return main.killswitch && devices.some(({ policy }) => policy === 'bypass');
}

type Stop = Pick<FamilyRoutes, 'rules' | 'routes'>;

const pastStop: readonly PlannedRule[] = [
  { preference: PAST_PREFERENCE, action: 'nop' },
  { preference: DIRECT_PREFERENCE, mark: MARK_DIRECT, action: { goto: PAST_PREFERENCE } },
];

/**
 * What stops devices where the marks, or all of nftables, are gone: whatever comes from them finds the house and the tunnel,
 * and nothing else. Without the kill switch nothing does, by the user's wish. The way into the tunnel is there for reverse-path
 * filtering, too: it asks for the way back of an answer as if the answer had come from the device's netdev (fib_frontend.c).
 */
function planSecondStop(config: Config, facts: HomeFacts, family: 4 | 6): Stop {
  const stopped = config.main.killswitch ? stoppedSources(config, facts, family) : [];
  if (stopped.length === 0) return { rules: [], routes: [] };
  const table = ['proto', `${ROUTE_PROTOCOL}`, 'table', `${HOUSE_TABLE}`];
  const homes = new Map<string, string>();
  for (const { name, prefixes } of facts.houseListing) {
    for (const prefix of prefixes) {
      if (familyOf(prefix) === family && !homes.has(prefix)) homes.set(prefix, name);
    }
  }
  return {
    rules: [
      ...(leavesDirectly(config) ? pastStop : []),
      ...sourcesOf(config, facts, family, true).map((source) => ({
        preference: DIRECT_PREFERENCE,
        ...source,
        action: { goto: PAST_PREFERENCE },
      })),
      ...stopped.map((source) => ({
        preference: source.from === undefined ? HOUSE_PREFERENCE : ADDRESS_PREFERENCE,
        ...source,
        action: { lookup: HOUSE_TABLE },
      })),
    ],
    routes: [
      ...defaultsOf(HOUSE_TABLE, config, facts, family),
      ...[...homes].map(([prefix, netdev]) => [prefix, 'dev', netdev, 'metric', '10', ...table]),
    ],
  };
}

/** Whole networks, and devices that are chosen one by one where they were seen. Only what comes in: replies are sent to them. */
function stoppedSources(config: Config, facts: HomeFacts, family: 4 | 6): Source[] {
  const networks = config.networks.map(({ device }) => ({ iif: device }));
  return [...networks, ...sourcesOf(config, facts, family, false)];
}

type Source = Pick<PlannedRule, 'from' | 'iif'>;

/**
 * Addresses of devices that are chosen one by one, each with the netdevs of the house it belongs to.
 *
 * @param isDirect those that may leave directly, in networks; else all others, outside them.
 */
function sourcesOf(
  { networks, devices }: Config,
  { followed, houseListing }: HomeFacts,
  family: 4 | 6,
  isDirect: boolean,
): Source[] {
  const whole = networks.map(({ device }) => device);
  const addresses = devices
    .filter(({ policy }) => (policy === 'bypass') === isDirect)
    .flatMap(({ section, ip }) => [
      ...ip,
      ...(followed.find((one) => one.section === section)?.addresses ?? []),
    ])
    .filter((address) => familyOf(address) === family);
  return [...new Set(addresses)].flatMap((from) =>
    houseListing
      .filter(({ name }) => whole.includes(name) === isDirect)
      .filter(({ prefixes }) =>
        prefixes.some((prefix) => holds(prefix, from) || holds(from, prefix)),
      )
      .map(({ name: iif }) => ({ from, iif })),
  );
}

/**
 * The endpoint's policy routing: what homes send leaves only where rules of nftables have marked it, for the same rules hide
 * their inner addresses.
 */
export function planEndpointRoutes(innerNetdev: string, isDualStack: boolean): FamilyRoutes[] {
  const table = ['proto', `${ROUTE_PROTOCOL}`, 'table', `${HOUSE_TABLE}`];
  const from = { iif: innerNetdev };
  return ([4, 6] as const)
    .filter((family) => family === 4 || isDualStack)
    .map((family) => ({
      family,
      rules: [
        pastStop[0]!,
        {
          preference: DIRECT_PREFERENCE,
          mark: MARK_TUNNEL,
          ...from,
          action: { goto: PAST_PREFERENCE },
        },
        { preference: HOUSE_PREFERENCE, ...from, action: { lookup: HOUSE_TABLE } },
      ],
      routes: [['blackhole', 'default', 'metric', REFUSING_METRIC, ...table]],
    }));
}

function familyOf(cidr: string): 4 | 6 {
  return cidr.includes(':') ? 6 : 4;
}
