// What files/deploy has for containers: it parses, asks for the rights the unit has, and names metrics that there are.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'ava';
import { EndpointFigures } from '../../src/core/endpoint/fleet/figures.ts';
import { AMONG_HOMES, Metrics } from '../../src/shell/fleet/metrics.ts';

/** The one that ava reads its settings with. */
const yaml = createRequire(createRequire(import.meta.url).resolve('ava'))('js-yaml') as {
  loadAll(text: string): unknown[];
};
const read = (name: string): string => readFileSync(`files/deploy/${name}`, 'utf8');
// biome-ignore lint/suspicious/noExplicitAny: what stands in them is looked at below
const parse = (name: string): any[] => yaml.loadAll(read(name));

/** All that Prometheus is told, once there is something to tell of everything. */
async function metricNames(): Promise<Set<string>> {
  const figures = new EndpointFigures();
  for (const day of [0, 1, 2]) {
    const homes = Array.from({ length: AMONG_HOMES }, (_, i) => ({
      ...{ name: `home${i}`, online: true, queue_ms: 0, dropped: 0 },
      ...{ download_kBps: 40, packet_size: 512, slots_asked_per_s: 80, slots_sent_per_s: 80 },
    }));
    figures.note(homes, day * 86_400_000);
  }
  const text = await new Metrics({
    ...{
      figures,
      endpoint: 'vps1',
      isServing: () => true,
      isDrained: () => false,
      warnings: () => 0,
    },
    ...{ hasRegistry: () => true, resources: async () => ({ cpuSeconds: 1, memoryBytes: 1 }) },
  }).render();
  return new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
}

test('dashboard, alerts and documentation name metrics that there are', async (t) => {
  const names = await metricNames();
  t.is(names.size, 16, [...names].join(' '));
  const dashboard = JSON.parse(read('grafana-dashboard.json'));
  t.true(dashboard.panels.length >= 8);
  const expressions = dashboard.panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) => expr),
  );
  const sources = [...expressions, read('alerts.yml'), readFileSync('docs/fleet.md', 'utf8')];
  for (const text of sources) {
    for (const [name] of text.matchAll(/\biotshaper_\w+/g)) {
      if (name !== 'iotshaper_changed') t.true(names.has(name), name);
    }
  }
  const told = sources.at(-1)!;
  for (const name of names) t.true(told.includes(name), `docs/fleet.md does not tell of ${name}`);
});

test('Prometheus takes its settings and rules', (t) => {
  for (const [what, name] of [
    ['config', 'prometheus.yml'],
    ['rules', 'alerts.yml'],
  ] as const) {
    const ended = spawnSync('promtool', ['check', what, `files/deploy/${name}`], {
      encoding: 'utf8',
    });
    t.is(ended.error, undefined, 'apt-get install prometheus');
    t.is(ended.status, 0, ended.stderr + ended.stdout);
  }
});

test('containers get what the unit for systemd leaves the service, and their port and device', (t) => {
  const unit = readFileSync('files/debian/iotshaper-endpoint.service', 'utf8');
  const [, names = ''] = /^CapabilityBoundingSet=(.*)$/m.exec(unit)!;
  // LimitNICE does for the unit what SYS_NICE does here; files of the image are root's, secrets may be another user's.
  const rights = [...names.split(' ').map((name) => name.slice(4)), 'SYS_NICE', 'DAC_OVERRIDE'];
  const [compose] = parse('compose.yaml');
  const { endpoint } = compose.services;
  t.deepEqual([...endpoint.cap_add].sort(), [...rights].sort());
  t.deepEqual(endpoint.cap_drop, ['ALL']);
  t.deepEqual(endpoint.devices, ['/dev/net/tun']);
  t.true(endpoint.security_opt.includes('systempaths=unconfined'));
  for (const { secrets = [] } of Object.values<{ secrets?: string[] }>(compose.services)) {
    for (const name of secrets) t.true(name in compose.secrets, name);
  }

  const manifests = parse('kubernetes/endpoint.yaml');
  t.deepEqual(
    manifests.map(({ kind }) => kind),
    ['Service', 'ConfigMap', 'StatefulSet'],
  );
  const [service, config, set] = manifests;
  t.deepEqual(service.spec.ports, [{ name: 'tunnel', port: 1194, protocol: 'UDP' }]);
  t.deepEqual(service.spec.selector, set.spec.selector.matchLabels);
  t.is(set.spec.serviceName, service.metadata.name);
  const [container] = set.spec.template.spec.containers;
  t.deepEqual([...container.securityContext.capabilities.add].sort(), [...rights].sort());
  t.is(container.ports[0].protocol, 'UDP');
  t.is(container.securityContext.procMount, 'Unmasked');
  const volumes = set.spec.template.spec.volumes as { name: string }[];
  const claims = set.spec.volumeClaimTemplates as { metadata: { name: string } }[];
  const there = [
    ...volumes.map(({ name }) => name),
    ...claims.map(({ metadata }) => metadata.name),
  ];
  for (const { volumeMounts } of set.spec.template.spec.containers) {
    for (const { name } of volumeMounts) t.true(there.includes(name), name);
  }
  t.regex(config.data['prometheus.yml'], /127\.0\.0\.1:9464/);
});

test('the container’s script is clean, and what the image copies is named by it', (t) => {
  const checked = spawnSync('shellcheck', ['files/deploy/start-endpoint'], { encoding: 'utf8' });
  t.is(checked.error, undefined, 'apt-get install shellcheck');
  t.is(checked.status, 0, checked.stdout);
  t.regex(read('Containerfile'), /^COPY --chmod=0755 start-endpoint /m);
  t.true(readdirSync('files/deploy').includes('start-endpoint'));
});
