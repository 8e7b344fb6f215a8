// What an endpoint tells and takes by HTTP: as its OpenAPI file says, as promtool reads it, and nothing of what devices do.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import test, { type ExecutionContext } from 'ava';
import { EndpointFigures, type ServedHome } from '../../src/core/endpoint/fleet/figures.ts';
import { parseFleetSettings } from '../../src/core/endpoint/fleet/settings.ts';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { EndpointStore } from '../../src/shell/endpoint/store.ts';
import { FleetService } from '../../src/shell/fleet/fleet-service.ts';
import { AMONG_HOMES, Metrics } from '../../src/shell/fleet/metrics.ts';
import { serveLocalApi } from '../../src/shell/machine/local-api.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import { nodeSystem as system } from '../../src/shell/system/node/node-system.ts';
import { findFreePort } from './free-port.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';

function servedHome(name: string, more: Partial<ServedHome> = {}): ServedHome {
  const stream = { download_kBps: 40, packet_size: 512 };
  const usual = { ...stream, slots_asked_per_s: 80, slots_sent_per_s: 79 };
  return { name, online: true, ...usual, queue_ms: 0, dropped: 0, ...more };
}

interface Server {
  store: EndpointStore;
  stateDir: string;
  api: string;
  metrics: string;
  logged: string[];
  start(): Promise<void>;
}

/** An endpoint of one machine whose service says of its homes what `homes` gives. */
async function serve(
  t: ExecutionContext,
  homes: () => readonly ServedHome[] = () => [],
  address = '127.0.0.1',
): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-fleet-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [stateDir, runDir] = [join(folder, 'endpoint'), join(folder, 'run')];
  mkdirSync(runDir);
  const store = new EndpointStore(system, stateDir);
  await store.init('vps.example.org', 1194);
  writeFileSync(join(stateDir, 'api-token'), `${TOKEN}\n`, { mode: 0o600 });
  const local = await serveLocalApi(system, join(runDir, 'api.sock'), {
    status: () => ({ homes: homes(), warnings: [] }),
  });
  t.teardown(() => local.close());
  const [api, metrics] = [await findFreePort(), await findFreePort()];
  const settings = parseFleetSettings(`api 127.0.0.1:${api}\nmetrics ${address}:${metrics}\n`);
  const logged: string[] = [];
  const log = (level: string, text: string) => void logged.push(`${level}: ${text}`);
  const service = new FleetService({
    ...{ system, log, settings, stateDir, runDir },
    ...{ registry: store, database: null },
  });
  t.teardown(() => service.stop());
  return {
    ...{
      store,
      stateDir,
      logged,
      api: `http://127.0.0.1:${api}`,
      metrics: `http://127.0.0.1:${metrics}`,
    },
    start: () => service.start(),
  };
}

interface Operation {
  responses: Record<string, { $ref?: string; content?: object }>;
}
const openapi = JSON.parse(readFileSync('files/deploy/openapi.json', 'utf8'));
const ajv = new Ajv2020.default({ strict: false });
ajv.addSchema(openapi, 'api');

/** The schema of an answer, in the file; null for one without content. */
function schemaOf(path: string, method: string, status: number): string | null {
  const operation = openapi.paths[path]?.[method] as Operation | undefined;
  const response = operation?.responses[status];
  if (!response) throw new Error(`${method} ${path} ${status}: is not described`);
  const place = response.$ref ?? `#/paths/${pointerOf(path)}/${method}/responses/${status}`;
  const described = response.$ref
    ? openapi.components.responses[response.$ref.split('/').at(-1)!]
    : response;
  return described.content ? `api${place}/content/${pointerOf('application/json')}/schema` : null;
}

function pointerOf(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}

test('the API answers as its OpenAPI file says, and done twice is done once', async (t) => {
  const { api, store, stateDir, start } = await serve(t);
  await start();
  const seen = new Set<string>();
  const ask = async (path: string, method: string, name = '', token = TOKEN) => {
    const answer = await fetch(api + path.replace('{name}', name), {
      method: method.toUpperCase(),
      headers: { authorization: `Bearer ${token}` },
    });
    const schema = schemaOf(path, method, answer.status);
    seen.add(`${method} ${path} ${answer.status}`);
    const text = await answer.text();
    if (schema === null) {
      t.is(text, '');
      return { status: answer.status, body: null };
    }
    t.is(answer.headers.get('content-type'), 'application/json');
    t.is(answer.headers.get('cache-control'), 'no-store');
    const body = JSON.parse(text);
    t.true(ajv.validate({ $ref: schema }, body), `${method} ${path}: ${ajv.errorsText()}\n${text}`);
    return { status: answer.status, body };
  };
  const home = '/v1/homes/{name}';
  t.deepEqual(await ask('/v1/homes', 'get'), { status: 200, body: { homes: [] } });
  const added = await ask(home, 'put', 'cottage');
  t.is(added.status, 201);
  const verdict = checkProfile(added.body.profile, pemReader);
  t.true(verdict.ok);
  const cottage = { name: 'cottage', address: '10.213.0.2', endpoint: null };
  t.deepEqual(added.body.home, cottage);
  t.deepEqual(await ask(home, 'put', 'cottage'), { status: 200, body: { home: cottage } });
  t.deepEqual(await ask(home, 'get', 'cottage'), { status: 200, body: { home: cottage } });
  const [before] = await store.homes();
  const rotated = await ask(`${home}/profile`, 'post', 'cottage');
  t.not(rotated.body.profile, added.body.profile);
  t.not((await store.homes())[0]!.fingerprint, before!.fingerprint);
  // Two at once: one of them is told the profile.
  const both = await Promise.all([ask(home, 'put', 'a'), ask(home, 'put', 'a')]);
  t.deepEqual(both.map(({ status }) => status).sort(), [200, 201]);
  t.deepEqual(await ask(home, 'delete', 'a'), { status: 204, body: null });
  t.deepEqual(await ask(home, 'delete', 'a'), { status: 204, body: null });
  t.is((await ask(home, 'get', 'a')).status, 404);
  t.is((await ask(`${home}/profile`, 'post', 'a')).status, 404);
  for (const [path, method] of [
    [home, 'get'],
    [home, 'put'],
    [home, 'delete'],
    [`${home}/profile`, 'post'],
  ] as const) {
    t.is((await ask(path, method, '..%2Fx')).status, 400);
    t.is((await ask(path, method, 'cottage', `${TOKEN}0`)).status, 401);
  }
  t.is((await ask('/v1/homes', 'get', '', 'x')).status, 401);
  t.is((await fetch(`${api}/v1/homes`)).status, 401);
  t.deepEqual(
    (await store.homes()).map(({ name }) => name),
    ['cottage'],
  );

  // A registry that can't be read is no registry without homes.
  writeFileSync(store.homesPath, '[{');
  for (const [path, method] of [
    ['/v1/homes', 'get'],
    [home, 'get'],
    [home, 'put'],
    [home, 'delete'],
    [`${home}/profile`, 'post'],
  ] as const) {
    t.is((await ask(path, method, 'cottage')).status, 503);
  }
  const described = Object.entries(openapi.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).flatMap(([method, { responses }]) =>
      Object.keys(responses ?? {}).map((status) => `${method} ${path} ${status}`),
    ),
  );
  t.deepEqual([...seen].sort(), described.sort());

  const authorization = `Bearer ${TOKEN}`;
  t.is(
    (await fetch(`${api}/v1/homes`, { method: 'POST', headers: { authorization } })).status,
    405,
  );
  t.is((await fetch(`${api}/metrics`, { headers: { authorization } })).status, 404);
  // Without a secret nobody may ask.
  const said = async () => {
    const answer = await fetch(`${api}/v1/homes`, { headers: { authorization: 'Bearer ' } });
    return [answer.status, ((await answer.json()) as { error: string }).error] as const;
  };
  const path = join(stateDir, 'api-token');
  chmodSync(path, 0o644);
  t.deepEqual(await said(), [
    503,
    `${path}: holds a secret, and others may read it; run "chmod 600 ${path}"`,
  ]);
  writeFileSync(path, '');
  chmodSync(path, 0o600);
  t.regex(
    (await said())[1],
    /must be 32 or more letters and digits; run "\(umask 077; openssl rand/,
  );
  rmSync(path);
  t.regex((await said())[1], /there is no token for the API yet; run "\(umask 077; openssl rand/);
});

test('Prometheus is told of the schedule, and as much whatever devices do', async (t) => {
  let homes = [
    servedHome('a'),
    servedHome('b', { online: false, slots_asked_per_s: 0, slots_sent_per_s: null }),
  ];
  const { metrics, start } = await serve(t, () => homes);
  await start();
  const answer = await fetch(`${metrics}/metrics`);
  t.regex(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const text = await answer.text();
  for (const line of [
    'iotshaper_serving 1',
    'iotshaper_homes 2',
    'iotshaper_homes_connected 1',
    'iotshaper_home_connected{home="a"} 1',
    'iotshaper_home_connected{home="b"} 0',
    'iotshaper_home_reconnects_total{home="a"} 0',
    'iotshaper_slots_asked_per_second{home="a"} 80',
    'iotshaper_slots_sent_per_second{home="a"} 79',
  ]) {
    t.true(text.split('\n').includes(line), `${line}\n${text}`);
  }
  t.regex(text, /^iotshaper_interval_error_ratio\{home="a"\} 0\.0126/m);
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  t.is(checked.error, undefined, 'apt-get install prometheus');
  t.is(checked.status, 0, checked.stderr);
  t.is(checked.stderr, '');
  t.is((await fetch(`${metrics}/v1/homes`)).status, 404);
  homes = [];
});

test('nothing else than the same is told while devices are busy', async (t) => {
  const render = async (count: number, more: Partial<ServedHome>, days: number) => {
    const figures = new EndpointFigures();
    for (const day of Array(days + 1).keys()) {
      const homes = Array.from({ length: count }, (_, i) => servedHome(`home${i}`, more));
      figures.note(homes, day * 86_400_000);
    }
    const resources = async () => ({ cpuSeconds: 7.5, memoryBytes: 1e8 });
    const source = { figures, endpoint: 'vps1', resources };
    return new Metrics({
      ...source,
      isServing: () => true,
      isDrained: () => false,
      warnings: () => 0,
      hasRegistry: () => null,
    }).render();
  };
  const busy = { queue_ms: 900, dropped: 40 };
  t.is(await render(2, busy, 0), await render(2, {}, 0));
  const later = await render(2, busy, 2);
  t.regex(later, /^iotshaper_last_day_longest_wait_seconds 0\.9$/m);
  t.regex(later, /^iotshaper_last_day_dropped_packets 0$/m);
  // What one home's packets cost shows in nothing.
  t.notRegex(await render(AMONG_HOMES - 1, {}, 0), /cpu|memory/);
  const many = await render(AMONG_HOMES, {}, 0);
  t.regex(many, /^iotshaper_cpu_seconds_total 7\.5$/m);
  t.regex(many, /^iotshaper_memory_bytes 100000000$/m);
});

test('neither listens where others could come', async (t) => {
  for (const address of ['0.0.0.0', '192.0.2.7']) {
    const { start } = await serve(t, () => [], address);
    await t.throwsAsync(start(), { message: /^metrics: must listen on this machine alone/ });
  }
});
