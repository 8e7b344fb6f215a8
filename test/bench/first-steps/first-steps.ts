// From an empty server and an empty router to "shaping" with README's lines alone, timed, again and again. As root after `make
// release`: node build/test/bench/first-steps/first-steps.js ROOTS [TIMES [RELEASES]]; ROOTS holds bookworm, trixie and router (`make first-steps`).
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Machine } from './machine.ts';
import { Network, SERVER } from './network.ts';
import { type Line, linesOf } from './readme.ts';

const roots = resolve(process.argv[2] ?? 'out/roots');
const times = Number(process.argv[3] || 10);
const releases = (process.argv[4] || 'bookworm,trixie').split(',');
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const debs = ['common', 'endpoint'].map((kind) => `iot-shaper-${kind}_${version}_all.deb`);
const ipk = `iot-shaper_${version}-r1_all.ipk`;

/** What help.md's network for devices takes by cable, since a lab has no Wi-Fi. */
const CABLE = "uci add_list network.iotdev.ports='lan2'";

interface Step {
  name: string;
  seconds: number;
}

class Run {
  readonly steps: Step[] = [];

  /** Does one thing, which throws where it does not work, and notes how long it took. */
  step<T>(name: string, work: () => T): T {
    const startMs = performance.now();
    const found = work();
    const seconds = (performance.now() - startMs) / 1000;
    this.steps.push({ name, seconds });
    console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${name}`);
    return found;
  }

  type(machine: Machine, { command }: Line, isOnline = false): string {
    const line = command.replaceAll('VERSION', version);
    return this.step(`${machine.name}: ${line}`, () => {
      const { status, output } = machine.run(line, isOnline);
      if (status !== 0)
        throw new Error(`${machine.name}: "${line}" ended with ${status}:\n${output}`);
      return output;
    });
  }
}

/** Waits until the machine says so, or says what it said last. */
function until(what: string, limitS: number, ask: () => string | null): void {
  let said: string | null = '';
  for (const untilMs = performance.now() + limitS * 1000; performance.now() < untilMs; ) {
    said = ask();
    if (said === null) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
  throw new Error(`not in ${limitS} s: ${what}; last: ${said}`);
}

function setUpServer(run: Run, server: Machine, network: Network, release: string): void {
  const boot = () => {
    const cache = `${roots}/cache`;
    for (const folder of ['apt', 'npm']) mkdirSync(join(cache, folder), { recursive: true });
    const shared = [`${cache}/apt:/var/cache/apt/archives`, `${cache}/npm:/root/.npm`];
    // What was fetched once is kept for the next run, and nobody minds a power failure.
    server.write(
      'etc/apt/apt.conf.d/90lab',
      'Binary::apt::APT::Keep-Downloaded-Packages "true";\n',
    );
    server.write('etc/dpkg/dpkg.cfg.d/lab', 'force-unsafe-io\n');
    // Where a registry is reached by certificates of one's own, npm is told of them as here.
    const certificates = process.env.NODE_EXTRA_CA_CERTS;
    if (certificates) copyFileSync(certificates, join(server.root, 'etc/lab-certificates.crt'));
    server.start(['/lib/systemd/systemd'], network.name('server'), { shared });
    until('the server is up', 60, () => {
      const { output } = server.run('systemctl is-system-running');
      return /running|degraded/.test(output) ? null : output;
    });
  };
  run.step('server: starts', boot);
  for (const deb of debs) copyFileSync(`dist/release/${deb}`, join(server.root, 'root', deb));
  for (const line of linesOf('README.md', '**1. A server**', 'The doctor')) {
    if (line.remark.includes('on Debian 12') && release !== 'bookworm') continue;
    const isInstalling = /^(apt|npm) /.test(line.command);
    const resolvers = isInstalling ? readFileSync('/etc/resolv.conf', 'utf8') : network.resolver;
    server.write('etc/resolv.conf', resolvers);
    const said = run.type(server, line, isInstalling);
    if (line.command.includes('doctor')) console.log(`  doctor: ${said.trim()}`);
  }
}

function setUpRouter(run: Run, router: Machine, network: Network, server: Machine): void {
  run.step('router: starts', () => {
    router.start(['/sbin/first-boot'], network.name('router'), { isSysWritable: true });
    until('the router is up', 60, () =>
      router.run('test -e /tmp/booted').status === 0 ? null : 'starting',
    );
  });
  copyFileSync(`dist/release/${ipk}`, join(router.root, 'root', ipk));
  const help = linesOf('docs/help.md', '## A network for devices', '## ');
  const wired = [
    ...help.filter(
      ({ command }) => command.startsWith('uci ') && !/ wireless\.|iotvlan|lan4/.test(command),
    ),
    { command: CABLE, remark: '' },
    {
      command:
        'uci commit; service network restart; service firewall restart; service dnsmasq restart',
      remark: '',
    },
  ];
  for (const { command } of wired) {
    const { status, output } = router.run(command);
    if (status !== 0) throw new Error(`help.md: "${command}" ended with ${status}:\n${output}`);
  }
  for (const line of linesOf('README.md', '**2. The router**', '**Or a Raspberry Pi')) {
    if (!line.command.startsWith('scp ')) run.type(router, line);
    else {
      const [, from = '', to = ''] = /^scp (\S+) root@[^:]+:(\S+)$/.exec(line.command)!;
      run.step(`copy: ${line.command}`, () =>
        copyFileSync(join(server.root, 'root', from), join(router.root, to)),
      );
    }
  }
}

/** One run on one release; its steps, or what went wrong. */
function go(release: string, folder: string): Run {
  const run = new Run();
  const network = new Network(folder);
  const machines: Machine[] = [];
  const add = (name: string, lower: string) => {
    const machine = new Machine(name, lower, folder);
    machines.push(machine);
    return machine;
  };
  const startMs = performance.now();
  try {
    const server = add('server', `${roots}/${release}`);
    setUpServer(run, server, network, release);
    const router = add('router', `${roots}/router`);
    setUpRouter(run, router, network, server);
    run.step('router: until "shaping"', () =>
      until('shaping', 120, () => {
        const { output } = router.run('iotshaper status --json');
        try {
          const { state, reason, fault } = JSON.parse(output);
          return state === 'shaping' ? null : `${state}: ${fault ?? reason}`;
        } catch {
          return output;
        }
      }),
    );
    run.steps.push({ name: 'all', seconds: (performance.now() - startMs) / 1000 });
    const from = run.step('a device that joins asks the Internet', () => network.askAsDevice());
    if (from !== SERVER)
      throw new Error(`a device's page was asked from ${from}, not from the server`);
    const { output } = router.run('iotshaper status');
    console.log(`  router: ${output.trim().split('\n')[0]}`);
    console.log(`  server: ${server.run('iotshaper status').output.trim().split('\n')[0]}`);
    return run;
  } catch (error) {
    for (const machine of machines) {
      const log =
        machine.name === 'server'
          ? 'iotshaper status; journalctl -n 20 --no-pager -u iotshaper-endpoint'
          : 'iotshaper doctor; logread | tail -20';
      console.error(machine.run(log).output);
    }
    throw error;
  } finally {
    for (const machine of machines) machine.stop();
    network.stop();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'iotshaper-first-'));
const names: string[] = [];
const table = new Map<string, string[]>();
let failed = 0;
for (let index = 0; index < times; index++) {
  const release = releases[index % releases.length]!;
  if (!existsSync(`${roots}/${release}`)) throw new Error(`${roots}/${release}: no such root`);
  console.log(`run ${index + 1}: ${release}`);
  try {
    for (const { name, seconds } of go(release, folder).steps) {
      if (!table.has(name)) names.push(name);
      table.set(name, [...(table.get(name) ?? []), seconds.toFixed(1)]);
    }
  } catch (error) {
    failed++;
    console.error(`run ${index + 1}: ${(error as Error).message}`);
  }
}
rmSync(folder, { recursive: true, force: true });
console.log(`\nseconds of each step, run by run (steps that one release lacks have fewer)`);
for (const name of names) console.log(`${name.padEnd(76)} ${table.get(name)!.join(' ')}`);
console.log(`${times - failed} of ${times} runs came to "shaping"`);
process.exitCode = failed === 0 ? 0 : 1;
