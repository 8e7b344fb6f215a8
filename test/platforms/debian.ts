// Debian as it comes, in folders of its own: both packages installed, a home that shapes against an endpoint, its settings
// changed, everything purged. Run as root after `make build deb`: node build/test/platforms/debian.js [RELEASE]
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Status } from '../../src/core/home/api.ts';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { CommandError } from '../../src/shell/system/command.ts';
import { HomeNetwork } from '../net/home-network.ts';
import { limitRights } from '../net/unit-rights.ts';
import { readWire } from '../net/wire.ts';
import { DebianRoot, hasOldNode } from './debian-root.ts';
import { openPage, picture, setRate } from './page.ts';
import { Report } from './report.ts';

const [release = 'trixie'] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const packageOf = (name: string) => resolve(`dist/iot-shaper-${name}_${version}_all.deb`);
const unitOf = (file: string) => limitRights(readFileSync(`files/${file}`, 'utf8'));

/** What NetworkManager loads for a connection that it shares (nm-firewall-utils.c, by nft), as an access point of devices is. */
const SHARED = `table ip nm-shared-${lab.bridge} {
	chain nat_postrouting {
		type nat hook postrouting priority 100; policy accept;
		ip saddr ${lab.lanPrefix}0/24 ip daddr != ${lab.lanPrefix}0/24 masquerade
	}
	chain filter_forward {
		type filter hook forward priority 0; policy accept;
		ip daddr ${lab.lanPrefix}0/24 oifname "${lab.bridge}" ct state { established, related } accept
		ip saddr ${lab.lanPrefix}0/24 iifname "${lab.bridge}" accept
		iifname "${lab.bridge}" oifname "${lab.bridge}" accept
		iifname "${lab.bridge}" reject
		oifname "${lab.bridge}" reject
	}
}
`;

const report = new Report();
const tell = report.tell.bind(report);

/** What a command that has to fail said. */
async function complaintOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return '';
  } catch (error) {
    if (error instanceof CommandError) return error.stderr;
    throw error;
  }
}

/** What a package needs, its own relatives apart. */
function dependenciesOf(name: string): string[] {
  const folder = name === 'endpoint' ? 'debian' : `debian-${name}`;
  const [, text = ''] = /^Depends: (.*)$/m.exec(readFileSync(`files/${folder}/control`, 'utf8'))!;
  return text
    .split(', ')
    .map((one) => one.replace(/ .*/, ''))
    .filter((one) => !one.startsWith('iot-shaper-'));
}

/** A root with one role installed, and the files it had before. */
async function installRole(
  role: 'home' | 'endpoint',
): Promise<{ root: DebianRoot; before: string[] }> {
  const root = await DebianRoot.build(release, role);
  // The other role's too: apt unpacks them before that role refuses.
  const dependencies = ['common', 'home', 'endpoint'].flatMap(dependenciesOf);
  if (hasOldNode(release)) {
    await root.install(...dependencies.filter((name) => name !== 'nodejs'));
    await root.installNode();
  } else {
    await root.install(...dependencies);
  }
  const before = await root.files();
  await root.install(packageOf('common'), packageOf(role));
  const said = await root.run(['iotshaper', '--version']);
  tell(said.trim() === version, `${role}: installed with apt, "iotshaper --version" runs`, said);
  return { root, before };
}

/** A role's service as its unit starts it, but by no systemd. */
function startService(
  network: HomeNetwork,
  root: DebianRoot,
  place: 'router' | 'endpoint',
  unit: string,
  words: readonly string[],
): { child: ChildProcess; log: () => string; gone: Promise<void> } {
  const command = [...unitOf(unit), 'env', 'LOG_PREFIX=1', 'iotshaper', ...words];
  const [program = '', ...args] = root.argv(command, network.topology.names[place]);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-20_000);
  });
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  return { child, log: () => log, gone };
}

const homeRole = await installRole('home');
const endpointRole = await installRole('endpoint');
const home = homeRole.root;
const endpoint = endpointRole.root;

const other = await complaintOf(home.install(packageOf('endpoint')));
tell(
  /This machine is a home's router .* apt remove iot-shaper-home/.test(other),
  'a home refuses to become an endpoint besides',
  other,
);
const another = await complaintOf(endpoint.install(packageOf('home')));
tell(
  /This machine is the endpoint of homes .* apt remove iot-shaper-endpoint/.test(another),
  'an endpoint refuses to become a home besides',
  another,
);
await home.run(['dpkg', '--audit']);

const network = await HomeNetwork.build({ id: 'debian' });
try {
  await network.netns('router', ['nft', '-f', '-'], SHARED);
  const traces = await network.traces();
  const tracesThere = await network.traces('endpoint');
  await network.startCloud();

  // What "ip netns exec" lays over this machine's file, and a root has its own of: whom an endpoint asks for names.
  const resolvers = readFileSync(join(endpoint.path, 'etc/resolv.conf'), 'utf8');
  await endpoint.write('/etc/resolv.conf', `nameserver ${lab.dnsAddress}\n`);

  const far = network.topology.names.endpoint;
  await endpoint.run(['iotshaper', 'endpoint', 'init', '--host', lab.endpointAddress], {
    netns: far,
  });
  const profile = await endpoint.run(['iotshaper', 'endpoint', 'add-home', 'lab'], { netns: far });
  const server = startService(network, endpoint, 'endpoint', 'debian/iotshaper-endpoint.service', [
    'endpoint',
    'run',
  ]);

  const near = network.topology.names.router;
  const iotshaper = (...words: string[]) => home.run(['iotshaper', ...words], { netns: near });
  const service = startService(network, home, 'router', 'debian-home/iotshaper.service', ['run']);
  const status = async (): Promise<Status | null> => {
    try {
      return JSON.parse(await iotshaper('status', '--json')) as Status;
    } catch (error) {
      if (error instanceof CommandError) return null;
      throw error;
    }
  };
  /** Waits until the home says so of itself. */
  const until = async (what: (one: Status) => boolean): Promise<Status | null> => {
    const endMs = performance.now() + 120_000;
    for (;;) {
      const one = await status();
      if ((one && what(one)) || performance.now() > endMs) return one;
      await pause(500); // each question is a process: there is no event
    }
  };

  const off = await until(({ state }) => state === 'off');
  tell(off?.state === 'off', 'after the installation the service is off', service.log());
  await home.write('/root/lab.ovpn', profile);
  const taken = await iotshaper('tunnel', '/root/lab.ovpn');
  tell(
    taken.includes(`The profile for ${lab.endpointAddress}:1194 is in its place`),
    '"iotshaper tunnel FILE" takes the profile',
    taken,
  );
  await iotshaper('add', 'network', `device=${lab.bridge}`);
  await iotshaper('on');
  const shaping = await until(({ state }) => state === 'shaping');
  tell(
    shaping?.state === 'shaping',
    `"iotshaper on": ${shaping?.reason}`,
    `${service.log()}\n${server.log()}`,
  );

  const stop = await network.capture('debian.pcap');
  const { sent, got } = await network.device('upload');
  tell(sent === got, 'what a device sends arrives whole', got);
  await iotshaper('set', 'rate=60');
  const slotsPerS = 60_000 / 512;
  const faster = await until(
    ({ rate, upload }) => rate.upload_kBps === 60 && upload.pps > slotsPerS * 0.9,
  );
  tell(
    faster?.rate.upload_kBps === 60,
    `"iotshaper set rate=60": ${faster?.upload.pps} packets/s leave`,
    faster?.rate.upload_kBps,
  );
  tell(
    (faster?.upload.pps ?? 0) > slotsPerS * 0.9,
    `of ${slotsPerS.toFixed(0)} packets/s, at least nine in ten leave`,
    faster?.upload.pps,
  );
  const { outside } = await readWire(await stop());
  tell(outside.length === 0, 'meanwhile the provider saw nothing beside the tunnel', outside);

  const pids = await network.netns('router', ['ip', 'netns', 'pids', near]);
  for (const pid of pids.trim().split('\n')) {
    const about = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const [, name] = /^Name:\s+(.+)$/m.exec(about) ?? [];
    const [, kB] = /^VmRSS:\s+(\d+) kB$/m.exec(about) ?? [];
    if (/^(node|openvpn|socat)/.test(name ?? ''))
      console.log(`        ${name}: ${Math.round(Number(kB) / 1000)} MB`);
  }

  const { page, browser, url } = await openPage(network, await iotshaper('password'));
  try {
    const banner = page.locator('.iot-banner[data-state=shaping]');
    const isThere = await banner.waitFor().then(
      () => true,
      () => false,
    );
    await picture(page, 'overview');
    const said = await page.locator(isThere ? '.iot-banner' : 'body').innerText();
    tell(isThere, `the page at ${url} says on a device that they are hidden`, said);
    await setRate(page, url, 50);
    const told = await until(({ rate }) => rate.upload_kBps === 50);
    tell(told?.rate.upload_kBps === 50, 'a rate saved there is in force', told?.rate);
    await setRate(page, url, 60);
    for (const tab of ['devices', 'privacy', 'tunnel', 'schedule']) {
      await page.goto(`${url}${tab}`);
      await page.locator('body[data-ready=true]').waitFor();
      await picture(page, tab);
    }
  } finally {
    await browser.close();
  }
  for (const address of [lab.homeAddress, lab.lanAddress]) {
    const asked = `https://${address}:8443/login`;
    const script = `fetch('${asked}', { signal: AbortSignal.timeout(3000) }).then(({ status }) => status, () => 0).then(console.log)`;
    const argv = ['env', 'NODE_TLS_REJECT_UNAUTHORIZED=0', process.execPath, '-e', script];
    const code = await network.netns('provider', argv);
    tell(['0', '403'].includes(code.trim()), `the provider gets nothing at ${asked}`, code);
  }

  const wrong = await complaintOf(iotshaper('set', 'rate=nonsense'));
  tell(
    /main\.rate: must be between .* got "nonsense"/.test(wrong),
    'a wrong value is refused, and named',
    wrong,
  );
  tell((await iotshaper('get', 'rate')).trim() === '60', 'and nothing was written');
  const doctor = await home.run(['sh', '-c', 'iotshaper doctor || true'], { netns: near });
  tell(
    !/uci |LuCI|opkg|\/etc\/init\.d/.test(doctor),
    'the doctor names no command of OpenWrt',
    doctor,
  );
  const boot = await home.run(['nft', '--check', '--file', '/etc/iotshaper/boot.nft']);
  tell(boot === '', 'nftables takes the rules that are loaded before the network', boot);

  // As stay-shut does where systemd is to start it again.
  await home.run(['touch', '/run/iotshaper/stay-shut']);
  service.child.kill('SIGTERM');
  await service.gone;
  // By its own nft: an older one may not know how to list what a newer one has loaded.
  const shut = await home.run(['nft', 'list', 'tables'], { netns: near });
  tell(shut.includes('inet iotshaper'), 'a service that comes back leaves devices cut off', shut);
  const again = startService(network, home, 'router', 'debian-home/iotshaper.service', ['run']);
  tell(
    (await until(({ state }) => state === 'shaping'))?.state === 'shaping',
    'and shapes again',
    again.log(),
  );
  await iotshaper('off');
  tell(
    (await until(({ state }) => state === 'off'))?.state === 'off',
    '"iotshaper off"',
    again.log(),
  );
  again.child.kill('SIGTERM');
  server.child.kill('SIGTERM');
  await Promise.all([again.gone, server.gone]);
  for (const [place, was] of [
    ['router', traces],
    ['endpoint', tracesThere],
  ] as const) {
    const left = await network.traces(place);
    const changed = Object.keys(was).filter((name) => was[name] !== left[name]);
    tell(
      changed.length === 0,
      `${place}: stopped, nothing of it is left in the kernel`,
      changed.map((name) => `${name}: ${left[name]}`),
    );
  }

  await endpoint.write('/etc/resolv.conf', resolvers);
  for (const [role, { root, before }] of Object.entries({
    home: homeRole,
    endpoint: endpointRole,
  })) {
    await root.run(['apt-get', 'purge', '-y', '-qq', `iot-shaper-${role}`, 'iot-shaper-common']);
    // What was in root's own folder the test put there.
    await root.run(['rm', '-f', '/root/lab.ovpn']);
    const after = await root.files();
    const more = after.filter((line) => !before.includes(line) && !/ \.\/run(\/|$)/.test(line));
    const less = before.filter((line) => !after.includes(line));
    tell(
      more.length + less.length === 0,
      `${role}: purged, no file is left`,
      [...more, ...less].slice(0, 20),
    );
  }
} finally {
  await network.close();
}
await Promise.all([home.remove(), endpoint.remove()]);
report.end(`Debian ${release}`);
