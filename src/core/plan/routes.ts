// Rules and routes by which devices' packets, and nothing else, find the tunnel.
import type { Config } from '../config/types.ts';
import type { HomeFacts } from './facts.ts';
import { REFUSING_METRIC } from './inside.ts';
import {
  hexMark,
  MARK_MASK,
  MARK_TUNNEL,
  ROUTE_PROTOCOL,
  ROUTE_TABLE,
  RULE_PREFERENCE,
} from './names.ts';

/** One address family's rule and routes, each as words after `ip -4|-6`. */
export interface FamilyRoutes {
  family: 4 | 6;
  /** Words after `rule add`. */
  rule: string[];
  /** Words after `route replace`; those of a netdev apply only while it exists. */
  routes: string[][];
}

/** The home's policy routing. With the kill switch there is always a route that says no. */
export function planRoutes(config: Config, facts: HomeFacts): FamilyRoutes[] {
  const rule = [
    'pref',
    `${RULE_PREFERENCE}`,
    'fwmark',
    `${hexMark(MARK_TUNNEL)}/${hexMark(MARK_MASK)}`,
    'lookup',
    `${ROUTE_TABLE}`,
    'protocol',
    `${ROUTE_PROTOCOL}`,
  ];
  const table = ['proto', `${ROUTE_PROTOCOL}`, 'table', `${ROUTE_TABLE}`];
  const refuse = ['unreachable', 'default', 'metric', REFUSING_METRIC, ...table];
  const through = ['default', 'dev', config.tunnel.interface, 'metric', '10', ...table];
  return [
    { family: 4, rule, routes: [refuse, through] },
    { family: 6, rule, routes: facts.inner?.prefix6 ? [refuse, through] : [refuse] },
  ];
}
