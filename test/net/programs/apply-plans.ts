// Applies golden cases one after another in this network namespace and prints, after each, what the kernel then has.
import { readFileSync } from 'node:fs';
import { ROUTE_PROTOCOL } from '../../../src/core/plan/names.ts';
import { planRoutes } from '../../../src/core/plan/routes.ts';
import { deleteTable, loadNft } from '../../../src/shell/network/nft.ts';
import { applyRoutes, removeRoutes } from '../../../src/shell/network/routing.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';
import { run } from '../../../src/shell/system/node/processes.ts';
import { caseConfig, caseFacts } from '../../plan/cases.ts';

async function listing(): Promise<Record<string, string>> {
  const found: Record<string, string> = { nft: (await run(['nft', 'list', 'ruleset'])).stdout };
  for (const family of ['-4', '-6']) {
    found[`rule ${family}`] = (await run(['ip', family, 'rule', 'show'])).stdout;
    found[`route ${family}`] = (
      await run(['ip', family, 'route', 'show', 'table', 'all', 'proto', `${ROUTE_PROTOCOL}`])
    ).stdout;
  }
  return found;
}

async function apply(name: string): Promise<void> {
  if (name === 'nothing') {
    await removeRoutes(nodeSystem);
    await deleteTable(nodeSystem, 'iotshaper');
    return;
  }
  await loadNft(nodeSystem, readFileSync(`test/golden/home/${name}/rules.nft`, 'utf8'));
  const config = caseConfig(name);
  await applyRoutes(
    nodeSystem,
    planRoutes(config, caseFacts(name)),
    new Set([config.tunnel.interface]),
  );
}

const results: Record<string, string>[] = [];
for (const name of process.argv.slice(2)) {
  await apply(name);
  results.push(await listing());
}
console.log(JSON.stringify(results));
