// Policy rules and routes, read back from the kernel and brought to what is planned.
import type { FamilyRoute } from '../../core/plan/inside.ts';
import { ROUTE_PROTOCOL, ROUTE_TABLE } from '../../core/plan/names.ts';
import type { FamilyRoutes } from '../../core/plan/routes.ts';
import { CommandError, succeeds } from '../system/command.ts';
import type { System } from '../system/system.ts';
import { ipJson } from './ip-json.ts';

/** Rules and routes are changed by commands alone. */
type Commands = Pick<System, 'processes'>;

interface ListedRule {
  priority: number;
  table?: string;
}

interface ListedRoute {
  type?: string;
  dst: string;
  dev?: string;
}

/** Rules of ours, whatever their preference: nobody else looks our table up. */
async function ourRules(system: Commands, family: 4 | 6): Promise<ListedRule[]> {
  const rules = await ipJson<ListedRule>(system, [`-${family}`, 'rule', 'show']);
  return rules.filter(({ table }) => table === `${ROUTE_TABLE}`);
}

async function ourRoutes(system: Commands, family: 4 | 6): Promise<ListedRoute[]> {
  const words = [`-${family}`, 'route', 'show', 'table', `${ROUTE_TABLE}`];
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
      const route = ['unreachable', dst, 'proto', `${ROUTE_PROTOCOL}`];
      await system.processes.run(['ip', `-${family}`, 'route', 'del', ...route]);
    }
  }
}

/**
 * Brings rules and routes to the plan: adds first, the refusing route before all, then deletes what is not planned. Routes
 * through a netdev that is not there are left for the next call.
 */
export async function applyRoutes(
  system: Commands,
  plan: readonly FamilyRoutes[],
  netdevs: ReadonlySet<string>,
): Promise<void> {
  for (const { family, rule, routes } of plan) {
    const ip = ['ip', `-${family}`];
    const usable = routes.filter((route) => {
      const dev = route[route.indexOf('dev') + 1]!;
      return !route.includes('dev') || netdevs.has(dev);
    });
    for (const route of usable) await system.processes.run([...ip, 'route', 'replace', ...route]);
    const [pref] = rule.slice(rule.indexOf('pref') + 1);
    const rules = await ourRules(system, family);
    if (!rules.some(({ priority }) => `${priority}` === pref))
      await system.processes.run([...ip, 'rule', 'add', ...rule]);
    for (const { priority } of rules) {
      if (`${priority}` !== pref) await deleteRule(system, family, priority);
    }
    const wantsThrough = usable.some((route) => route.includes('dev'));
    for (const route of await ourRoutes(system, family)) {
      if (route.dev !== undefined && route.type !== 'unreachable' && !wantsThrough) {
        await system.processes.run([
          ...ip,
          'route',
          'del',
          route.dst,
          'dev',
          route.dev,
          'table',
          `${ROUTE_TABLE}`,
        ]);
      }
    }
  }
}

/** Removes every rule and route of ours, in both families. */
export async function removeRoutes(system: Commands): Promise<void> {
  for (const family of [4, 6] as const) {
    for (const { priority } of await ourRules(system, family))
      await deleteRule(system, family, priority);
    if ((await ourRoutes(system, family)).length > 0) {
      await system.processes.run(['ip', `-${family}`, 'route', 'flush', 'table', `${ROUTE_TABLE}`]);
    }
  }
}

/** Another program's rule of the same preference looks up another table. */
async function deleteRule(system: Commands, family: 4 | 6, priority: number): Promise<void> {
  const rule = ['pref', `${priority}`, 'lookup', `${ROUTE_TABLE}`];
  await system.processes.run(['ip', `-${family}`, 'rule', 'del', ...rule]);
}
