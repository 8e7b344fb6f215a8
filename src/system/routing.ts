// Policy rules and routes, read back from the kernel and brought to what is planned.

import { ROUTE_TABLE, RULE_PREFERENCE } from '../plan/names.ts';
import type { FamilyRoutes } from '../plan/routes.ts';
import { run, succeeds } from './command.ts';

interface ListedRule {
  priority: number;
  fwmark?: string;
  table?: string;
}

interface ListedRoute {
  type?: string;
  dst: string;
  dev?: string;
}

async function json<T>(argv: string[]): Promise<T[]> {
  const { stdout } = await run(argv);
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as T[]);
}

function ourRules(family: 4 | 6): Promise<ListedRule[]> {
  return json<ListedRule>(['ip', '-j', `-${family}`, 'rule', 'show', 'pref', `${RULE_PREFERENCE}`]);
}

async function ourRoutes(family: 4 | 6): Promise<ListedRoute[]> {
  // Asking for a table that never held a route is an error to iproute2.
  const argv = ['ip', '-j', `-${family}`, 'route', 'show', 'table', `${ROUTE_TABLE}`];
  return (await succeeds(argv)) ? json<ListedRoute>(argv) : [];
}

/**
 * Brings rules and routes to the plan: adds first, the refusing route before all, then deletes what is not planned. Routes
 * through a netdev that is not there are left for the next call.
 */
export async function applyRoutes(
  plan: readonly FamilyRoutes[],
  netdevs: ReadonlySet<string>,
): Promise<void> {
  for (const { family, rule, routes } of plan) {
    const ip = ['ip', `-${family}`];
    const usable = routes.filter((route) => {
      const dev = route[route.indexOf('dev') + 1]!;
      return !route.includes('dev') || netdevs.has(dev);
    });
    for (const route of usable) await run([...ip, 'route', 'replace', ...route]);
    if ((await ourRules(family)).length === 0) await run([...ip, 'rule', 'add', ...rule]);
    const wantsThrough = usable.some((route) => route.includes('dev'));
    for (const route of await ourRoutes(family)) {
      if (route.dev !== undefined && route.type !== 'unreachable' && !wantsThrough) {
        await run([...ip, 'route', 'del', route.dst, 'dev', route.dev, 'table', `${ROUTE_TABLE}`]);
      }
    }
  }
}

/** Removes every rule and route of ours, in both families. */
export async function removeRoutes(): Promise<void> {
  for (const family of [4, 6] as const) {
    for (const _rule of await ourRules(family)) {
      await run(['ip', `-${family}`, 'rule', 'del', 'pref', `${RULE_PREFERENCE}`]);
    }
    if ((await ourRoutes(family)).length > 0) {
      await run(['ip', `-${family}`, 'route', 'flush', 'table', `${ROUTE_TABLE}`]);
    }
  }
}
