// Policy rules and routes, read back from the kernel and brought to what is planned.
import type { ListedNetdev } from '../../core/home/netdev-kinds.ts';
import type { FamilyRoute } from '../../core/plan/inside.ts';
import { HOUSE_TABLE, ROUTE_PROTOCOL, ROUTE_TABLE } from '../../core/plan/names.ts';
import { type FamilyRoutes, type PlannedRule, ruleWords } from '../../core/plan/routes.ts';
import { CommandError, succeeds } from '../system/command.ts';
import type { System } from '../system/system.ts';
import { ipJson } from './ip-json.ts';

/** Rules and routes are changed by commands alone. */
type Commands = Pick<System, 'processes'>;

const OUR_TABLES = [ROUTE_TABLE, HOUSE_TABLE] as const;

/** As iproute2 lists it: `src` is `all` or an address, with `srclen` where that is not a single one. */
interface ListedRule {
  priority: number;
  src?: string;
  srclen?: number;
  fwmark?: string;
  fwmask?: string;
  iif?: string;
  table?: string;
  goto?: number;
  nop?: null;
  protocol?: string;
}

interface ListedRoute {
  type?: string;
  dst: string;
  dev?: string;
  gateway?: string;
  metric?: number;
  protocol?: string;
}

/** Rules of ours, whatever their preference: nobody else looks our tables up, or has our protocol. */
async function ourRules(system: Commands, family: 4 | 6): Promise<ListedRule[]> {
  const rules = await ipJson<ListedRule>(system, [`-${family}`, 'rule', 'show']);
  return rules.filter(
    ({ table, protocol }) =>
      protocol === `${ROUTE_PROTOCOL}` || OUR_TABLES.some((one) => table === `${one}`),
  );
}

async function ourRoutes(system: Commands, family: 4 | 6, table: number): Promise<ListedRoute[]> {
  const words = [`-${family}`, 'route', 'show', 'table', `${table}`];
  try {
    return await ipJson<ListedRoute>(system, words);
  } catch (error) {
    // Asking for a table that never held a route is an error to iproute2.
    if (error instanceof CommandError && /table does not exist/.test(error.stderr)) return [];
    throw error;
  }
}

async function insideRoutes(system: Commands, family: 4 | 6): Promise<ListedRoute[]> {
  const routes = ['route', 'show', 'table', 'main', 'proto', `${ROUTE_PROTOCOL}`];
  return ipJson<ListedRoute>(system, [`-${family}`, ...routes]);
}

/**
 * Brings the routes of last resort of the tunnel's inside to the plan, adding first. An empty plan removes them.
 *
 * @throws {CommandError} where the kernel refuses one.
 */
export async function applyInsideRoutes(
  system: Commands,
  plan: readonly FamilyRoute[],
): Promise<void> {
  for (const family of [4, 6] as const) {
    const standing = (await insideRoutes(system, family)).map(({ dst }) => dst);
    const wanted = plan.filter((route) => route.family === family);
    for (const { words } of wanted) {
      if (standing.includes(words[1]!)) continue;
      const add = ['ip', `-${family}`, 'route', 'replace', ...words];
      // A kernel without IPv6 has nothing that could leave by it.
      if (family === 4) await system.processes.run(add);
      else await succeeds(system, add);
    }
    for (const dst of standing) {
      if (wanted.some(({ words }) => words[1] === dst)) continue;
      const route = ['blackhole', dst, 'proto', `${ROUTE_PROTOCOL}`];
      await system.processes.run(['ip', `-${family}`, 'route', 'del', ...route]);
    }
  }
}

/** Both, as an endpoint has them: none of its netdevs has to take a route. */
export async function applyEndpointRoutes(
  system: Commands,
  inside: readonly FamilyRoute[],
  plan: readonly FamilyRoutes[],
): Promise<void> {
  await applyInsideRoutes(system, inside);
  await applyRoutes(system, plan, new Set());
}

/** Removes both. */
export async function removeEndpointRoutes(system: Commands): Promise<void> {
  await removeRoutes(system);
  await applyInsideRoutes(system, []);
}

/**
 * Brings rules and routes to the plan: adds first, the refusing routes before all, then deletes what is not planned. Routes
 * through a netdev that is not there, or not up, are left for the next call.
 *
 * @param netdevs those that have to take a route.
 */
export async function applyRoutes(
  system: Commands,
  plan: readonly FamilyRoutes[],
  netdevs: ReadonlySet<string>,
): Promise<void> {
  for (const { family, rules, routes } of plan) {
    const ip = ['ip', `-${family}`];
    const standing: Standing[] = [];
    const found = await routesByTable(system, family);
    for (const route of routes) {
      const planned = readPlanned(route);
      const { dev, table } = planned;
      if (found.get(table)?.some((one) => isAsPlanned(one, route, planned))) {
        standing.push(planned);
        continue;
      }
      const add = [...ip, 'route', 'replace', ...route];
      const stands = dev === null || netdevs.has(dev) ? system.processes.run(add) : null;
      // A netdev of the house that is down leads nowhere, here as in the main table.
      if (stands === null && !(table === `${HOUSE_TABLE}` && (await succeeds(system, add))))
        continue;
      await stands;
      standing.push(planned);
    }
    const listed = (await ourRules(system, family)).map((rule) => readRule(rule));
    for (const rule of rules) {
      if (listed.some((one) => isSameRule(one, rule))) continue;
      await system.processes.run([...ip, 'rule', 'add', ...ruleWords(rule)]);
    }
    for (const one of listed) {
      if (!rules.some((rule) => isSameRule(one, rule))) await deleteRule(system, family, one);
    }
    await deleteStale(system, family, standing);
  }
}

/** Routes of no netdev. */
const REFUSING = ['unreachable', 'blackhole'];

interface Standing {
  table: string;
  type: string | undefined;
  dst: string;
  dev: string | null;
}

function readPlanned(route: readonly string[]): Standing {
  const type = REFUSING.find((word) => word === route[0]);
  const dst = type === undefined ? route[0]! : route[1]!;
  return { table: wordAfter(route, 'table')!, type, dst, dev: wordAfter(route, 'dev') };
}

async function routesByTable(
  system: Commands,
  family: 4 | 6,
): Promise<Map<string, readonly ListedRoute[]>> {
  const found = new Map<string, readonly ListedRoute[]>();
  for (const table of OUR_TABLES) found.set(`${table}`, await ourRoutes(system, family, table));
  return found;
}

function isAsPlanned(
  listed: ListedRoute,
  route: readonly string[],
  { type, dst, dev }: Standing,
): boolean {
  return (
    listed.type === type &&
    listed.dst === dst &&
    (type !== undefined || listed.dev === dev) &&
    listed.gateway === undefined &&
    `${listed.metric}` === wordAfter(route, 'metric') &&
    listed.protocol === `${ROUTE_PROTOCOL}`
  );
}

async function deleteStale(
  system: Commands,
  family: 4 | 6,
  standing: readonly Standing[],
): Promise<void> {
  for (const table of OUR_TABLES) {
    const wanted = standing.filter((one) => one.table === `${table}`);
    for (const { type, dst, dev } of await ourRoutes(system, family, table)) {
      const isPlanned = wanted.some(
        (one) => one.type === type && one.dst === dst && (type !== undefined || one.dev === dev),
      );
      if (isPlanned) continue;
      const named = type === undefined ? [dst, 'dev', dev!] : [type, dst];
      const route = [...named, 'table', `${table}`];
      // The kernel may have taken it away with its netdev.
      await succeeds(system, ['ip', `-${family}`, 'route', 'del', ...route]);
    }
  }
}

/** Removes every rule and route of ours, in both families. */
export async function removeRoutes(system: Commands): Promise<void> {
  for (const family of [4, 6] as const) {
    for (const rule of await ourRules(system, family)) {
      await deleteRule(system, family, readRule(rule));
    }
    for (const table of OUR_TABLES) {
      if ((await ourRoutes(system, family, table)).length === 0) continue;
      await system.processes.run(['ip', `-${family}`, 'route', 'flush', 'table', `${table}`]);
    }
  }
}

/** Gives a netdev an address, in CIDR form, unless it has it. */
export async function keepAddress(
  system: Pick<System, 'processes'>,
  netdev: string,
  cidr: string,
): Promise<void> {
  const listed = await ipJson<ListedNetdev>(system, ['-d', 'addr', 'show']);
  const has = listed
    .filter(({ ifname }) => ifname === netdev)
    .flatMap(({ addr_info = [] }) => addr_info)
    .some(({ local, prefixlen }) => `${local}/${prefixlen}` === cidr);
  if (!has) await system.processes.run(['ip', 'addr', 'replace', cidr, 'dev', netdev]);
}

function readRule(listed: ListedRule): PlannedRule {
  const { priority, src, srclen, fwmark, iif, table, goto } = listed;
  return {
    preference: priority,
    ...(src === undefined || src === 'all'
      ? {}
      : { from: srclen === undefined ? src : `${src}/${srclen}` }),
    ...(fwmark === undefined ? {} : { mark: Number(fwmark) }),
    ...(iif === undefined ? {} : { iif }),
    action:
      'nop' in listed ? 'nop' : goto === undefined ? { lookup: Number(table) } : { goto: goto },
  };
}

/** With and without the length of a single address they are the same. */
function isSameRule(one: PlannedRule, other: PlannedRule): boolean {
  const plain = (rule: PlannedRule): string =>
    ruleWords(rule)
      .join(' ')
      .replace(/(from \S+?)\/(?:32|128) /, '$1 ');
  return plain(one) === plain(other);
}

/** Another program's rule of the same preference does something else. */
async function deleteRule(system: Commands, family: 4 | 6, rule: PlannedRule): Promise<void> {
  const words = ruleWords(rule).slice(0, -2);
  await system.processes.run(['ip', `-${family}`, 'rule', 'del', ...words]);
}

function wordAfter(words: readonly string[], name: string): string | null {
  const index = words.indexOf(name);
  return index < 0 ? null : (words[index + 1] ?? null);
}
