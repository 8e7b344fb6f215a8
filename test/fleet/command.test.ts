// The built program with a registry in a real PostgreSQL: what an operator types, and what runs beside the service.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { serveLocalApi } from '../../src/shell/machine/local-api.ts';
import { nodeSystem as system } from '../../src/shell/system/node/node-system.ts';
import { findFreePort } from './free-port.ts';
import { Postgres } from './postgres.ts';

let postgres: Postgres;
let url: string;
test.before(() => {
  postgres = new Postgres();
  url = postgres.createDatabase();
});
test.after.always(() => postgres?.remove());

const SECRET = 'not-asked-for';

interface Machine {
  stateDir: string;
  runDir: string;
  copy: string;
  configure(more?: string): void;
  run(...words: string[]): { status: number | null; said: string; written: string };
}

function machine(t: ExecutionContext, name: string, registry = url): Machine {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-fleet-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [stateDir, runDir, copy] = ['endpoint', 'run', 'copy'].map((one) => join(folder, one)) as [
    string,
    string,
    string,
  ];
  for (const dir of [stateDir, runDir]) mkdirSync(dir);
  const configure = (more = ''): void => {
    const text = `registry ${registry}\nendpoint ${name}\ncopy ${copy}\n${more}`;
    writeFileSync(join(stateDir, 'fleet.conf'), text, { mode: 0o600 });
  };
  configure();
  const run = (...words: string[]) => {
    const argv = ['dist/iotshaper.js', 'endpoint', ...words, '--state-dir', stateDir];
    const { status, stderr, stdout } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
    t.false(`${stderr}${stdout}`.includes(SECRET));
    return { status, said: stderr, written: stdout };
  };
  return { stateDir, runDir, copy, configure, run };
}

test('commands change the registry, which other endpoints follow', async (t) => {
  const [one, two] = [machine(t, 'vps1'), machine(t, 'vps2')];
  t.regex(
    one.run('add-home', 'a').said,
    /the fleet has no endpoint "vps1" yet; run "iotshaper endpoint init/,
  );
  t.regex(one.run('fleet', '--once').said, /^iotshaper: the registry has no endpoint "vps1"; run/);
  t.is(one.run('init', '--host', '192.0.2.1').status, 0);
  t.is(two.run('init', '--host', '192.0.2.2').status, 0);
  const added = one.run('add-home', 'a');
  t.is(added.status, 0, added.said);
  t.deepEqual([...added.written.matchAll(/^remote (.*)$/gm)].map(([, way]) => way).sort(), [
    ...['192.0.2.1 1194', '192.0.2.2 1194'],
  ]);
  const port = await findFreePort();
  two.configure(`metrics 127.0.0.1:${port}\n`);
  t.is(two.run('fleet', '--once').status, 0);

  const beside = spawn(
    process.execPath,
    [
      'dist/iotshaper.js',
      'endpoint',
      'fleet',
      '--state-dir',
      two.stateDir,
      '--run-dir',
      two.runDir,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  t.teardown(() => beside.kill('SIGKILL'));
  let said = '';
  const heard = (words: string) =>
    new Promise<void>((resolve) => {
      const look = (): void => {
        if (said.includes(words)) resolve();
      };
      beside.stderr.on('data', look);
      look();
    });
  beside.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await heard('metrics: listens at 127.0.0.1');
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  t.regex(metrics, /^iotshaper_info\{version="[\d.]+",endpoint="vps2"\} 1$/m);
  t.regex(metrics, /^iotshaper_serving 0$/m);
  t.regex(metrics, /^iotshaper_registry_heard 1$/m);
  const both = heard('the registry has 2 homes for this endpoint');
  t.is(one.run('add-home', 'b').status, 0);
  await both;
  const homes = JSON.parse(readFileSync(join(two.copy, 'homes.json'), 'utf8'));
  t.deepEqual(
    homes.map((home: { name: string }) => home.name),
    ['a', 'b'],
  );
  const listed = two.run('list', '--run-dir', two.runDir);
  t.regex(listed.written, /^a +10\.213\.0\.2 +disconnected/m);
  beside.kill('SIGTERM');
  t.deepEqual(await once(beside, 'exit'), [0, null], said);
  t.false(said.includes(SECRET));
});

test('settings that others may read, and wrong ones, are refused', (t) => {
  const { stateDir, run, configure } = machine(t, 'vps1');
  const path = join(stateDir, 'fleet.conf');
  chmodSync(path, 0o640);
  t.is(
    run('list').said,
    `iotshaper: ${path}: holds a secret, and others may read it; run "chmod 600 ${path}"\n`,
  );
  chmodSync(path, 0o600);
  configure('metric 127.0.0.1:1\n');
  t.regex(run('list').said, /fleet\.conf: line 4: "metric" is no setting; there are registry,/);
  rmSync(path);
  t.regex(run('fleet').said, /fleet\.conf: is not there; this endpoint is in no fleet/);
});

test('an endpoint is drained where another one takes its homes, and serves again when asked to', (t) => {
  const [one, two] = [machine(t, 'drain1'), machine(t, 'drain2')];
  one.run('init', '--host', '192.0.2.81');
  const mark = join(one.copy, 'drained');
  const unheard = one.run('drain');
  t.is(unheard.status, 1);
  t.regex(
    unheard.said,
    /^iotshaper: none of the other endpoints \(.*\) is heard and serves homes, so/,
  );
  t.false(existsSync(mark));
  two.run('init', '--host', '192.0.2.82');
  spawnSync('psql', [url, '-c', "UPDATE endpoints SET seen_at = now() WHERE name = 'drain2'"]);
  const told = one.run('drain', '--run-dir', one.runDir);
  t.is(told.status, 0, told.said);
  t.regex(told.said, /^This endpoint is drained.*\nNo service runs here; it sends homes on once/);
  t.regex(readFileSync(mark, 'utf8'), /^\d{4}-\d\d-\d\dT.*Z\n$/);
  t.regex(one.run('drain', '--undo').said, /^This endpoint serves again whoever comes/);
  t.false(existsSync(mark));
  t.is(one.run('drain', '--undo').status, 0);
});

test('an endpoint is not drained where others have no room for its homes, unless it is to be', async (t) => {
  const own = postgres.createDatabase();
  const [one, two] = [machine(t, 'full1', own), machine(t, 'full2', own)];
  one.run('init', '--host', '192.0.2.91');
  two.run('init', '--host', '192.0.2.92');
  for (const name of ['a', 'b', 'c']) one.run('add-home', name);
  const columns = 'seen_at = now(), cores = 2, slots = 78.125, kbps = 40';
  spawnSync('psql', [own, '-c', `UPDATE endpoints SET ${columns} WHERE name = 'full2'`]);
  one.run('limit', '--machine', '--slots', '160');
  const stream = { online: true, download_kBps: 40, packet_size: 512 };
  const gone = { online: false, download_kBps: 0, packet_size: 0 };
  const homes = [
    { name: 'a', ...stream },
    { name: 'b', ...stream },
    { name: 'c', ...gone },
  ];
  const service = await serveLocalApi(system, join(one.runDir, 'api.sock'), {
    status: () => ({ homes, drained: null }),
  });
  t.teardown(() => service.close());
  const drain = async (...words: string[]) => {
    const argv = ['dist/iotshaper.js', 'endpoint', 'drain', '--no-wait', ...words];
    const dirs = ['--state-dir', one.stateDir, '--run-dir', one.runDir];
    const child = spawn(process.execPath, [...argv, ...dirs], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [status] = await once(child, 'close');
    return { status, said };
  };
  t.deepEqual(await drain(), {
    status: 1,
    said: 'iotshaper: homes here have 157 packets a second, and the other endpoints have room left: full2 for 81; these would find none: b; add an endpoint, or let each carry more, if it can: "iotshaper endpoint limit --machine --slots 235"; "--anyway" sends homes on all the same\n',
  });
  const mark = join(one.copy, 'drained');
  t.false(existsSync(mark));
  t.is((await drain('--anyway')).status, 0);
  t.true(existsSync(mark));
  t.is((await drain('--undo')).status, 0);
  one.run('limit', '--machine', '--slots', 'none', '--rate', '100');
  t.regex(
    (await drain()).said,
    /^iotshaper: homes here have 80 KB\/s, .*: full2 for 60; .*: b; .* --machine --rate 120"; "--anyway"/,
  );
  one.run('limit', '--machine', '--slots', '235', '--rate', '120');
  t.is((await drain()).status, 0);
  t.true(existsSync(mark));
});

test('one machine has no other endpoint: it is drained by whoever knows better', (t) => {
  const alone = machine(t, 'alone');
  rmSync(join(alone.stateDir, 'fleet.conf'));
  t.regex(alone.run('drain').said, /run "iotshaper endpoint init --host HOST"/);
  alone.run('init', '--host', '192.0.2.1');
  const { status, said } = alone.run('drain');
  t.is(status, 1);
  t.regex(said, /^iotshaper: there is no other endpoint, so homes have nowhere to go; "--anyway"/);
  t.is(alone.run('drain', '--anyway', '--run-dir', alone.runDir).status, 0);
  t.true(existsSync(join(alone.stateDir, 'drained')));
});
