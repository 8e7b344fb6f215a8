// Several homes on one endpoint: each served, none able to speak as another.
import { readFile, writeFile } from 'node:fs/promises';
import test from 'ava';
import { checkProfile, type Profile } from '../../src/core/openvpn/profile.ts';
import { renderHomeOpenVpn, renderTrialOpenVpn } from '../../src/core/plan/openvpn.ts';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import { CLOUD, HomeNetwork } from './home-network.ts';
import { eventually } from './support.ts';

interface EndpointStatus {
  homes: {
    name: string;
    address: string;
    online: boolean;
    foreign: number;
    download_kBps: number;
    refused: string | null;
    month_gb: number;
  }[];
}

let network: HomeNetwork;
let before: Record<string, string>;

test.before(async () => {
  network = await HomeNetwork.build({ id: 'homes' });
  await writeFile(network.path('second.ovpn'), await network.endpoint('add-home', 'second'));
  before = await network.traces('endpoint');
  network.startEndpoint();
  network.startHome();
  await network.startCloud();
  await network.await('shaping');
});

test.after.always(() => network?.close());

test.serial('a second home is served beside the first, and can’t speak as the first', async (t) => {
  // The second home lives where the Internet is; its OpenVPN is real, what it says is ours to choose.
  const profile = await readProfile('second.ovpn');
  const config = renderHomeOpenVpn({
    profile,
    managementSocket: 'unused',
    queuePackets: 100,
    plainUser: null,
  }).replace(/^management.*$/gm, '');
  await writeFile(network.path('second.conf'), config, { mode: 0o600 });
  const openvpn = network.start('cloud', ['openvpn', '--config', network.path('second.conf')]);
  await new Promise<void>((connected) => {
    openvpn.stdout!.on('data', (text) => {
      if (String(text).includes('Initialization Sequence Completed')) connected();
    });
  });
  const impostor = network.start('cloud', [
    process.execPath,
    'build/test/net/programs/impostor.js',
    '10.213.0.3',
    '10.213.0.1',
    '10.213.0.2',
    Buffer.from(profile.controlKey).toString('base64'),
  ]);
  const say = () =>
    new Promise<string>((done) => {
      impostor.stdout!.once('data', (text) => done(String(text)));
    });
  // Proofs by another key, for another home, with a nonce the endpoint did not draw: all it says is one small question.
  t.deepEqual(JSON.parse(await say()), { challengedBytes: 228 });
  const asked = await eventually('the first home is served', async () => {
    const status = await endpointStatus();
    return status.homes[0]?.online && status;
  });
  t.like(asked.homes[1], { name: 'second', online: false, download_kBps: 0 });
  t.like(asked.homes[0], { name: 'lab', online: true, download_kBps: 40 });
  // Its class stands ready, so that nothing has to be changed for the others when it comes.
  const before = await network.netns('endpoint', ['tc', '-s', 'class', 'show', 'dev', 'iotvpn0']);
  t.regex(before, /class htb 1:3 root leaf 1003:[^\n]*\n Sent \d{1,4} bytes/);
  // Behind OpenVPN, too: the first home's slots stand there, and it is found by where it is.
  const clock = await network.netns('endpoint', ['tc', '-s', 'class', 'show', 'dev', 'iotclk0']);
  t.regex(clock, /class htb 2:2 parent 2:1002 leaf 2002:[^\n]*\n Sent \d+ bytes \d{2,} pkt/);
  t.regex(clock, /class htb 2:3 parent 2:1003 leaf 2003:/);
  const welcomed = say();
  impostor.kill('SIGUSR2');
  t.deepEqual(JSON.parse(await welcomed), { welcomed: '10.214.3.0/24' });
  await new Promise<void>((gone) => impostor.once('exit', () => gone()));

  const status = await eventually(
    'packets from an address of the first home are dropped',
    async () => {
      const said = await endpointStatus();
      const { homes } = said;
      return homes.every(({ online }) => online) && (homes[1]?.foreign ?? 0) > 0 && said;
    },
  );
  t.deepEqual(
    status.homes.map(({ name }) => name),
    ['lab', 'second'],
  );
  t.is(status.homes[0]!.foreign, 0);
  // The first home goes on undisturbed while the second is there.
  t.like(await network.device('echo', CLOUD, '1000,10'), { missing: 0, damaged: 0 });
  // Each is led to its own class behind OpenVPN, and what OpenVPN was given in excess waited for it: none was dropped.
  await eventually('both homes’ slots leave by their own classes behind OpenVPN', async () => {
    const classes = await network.netns('endpoint', [
      'tc',
      '-s',
      'class',
      'show',
      'dev',
      'iotclk0',
    ]);
    return [2, 3].every((host) =>
      new RegExp(
        `class htb 2:${host} parent 2:100${host} leaf 200${host}:[^\\n]*\\n Sent \\d+ bytes \\d{2,} pkt`,
      ).test(classes),
    );
  });
  t.is(await network.droppedAtTun('endpoint'), 0);
  await eventually('a class for each home', async () => {
    const classes = await network.netns('endpoint', ['tc', 'class', 'show', 'dev', 'iotvpn0']);
    return [/class htb 1:2 root leaf 1002:/, /class htb 1:3 root leaf 1003:/].every((one) =>
      one.test(classes),
    );
  });
});

test.serial('homes come, get new keys and go, and the others lose nothing by it', async (t) => {
  const openvpn = await endpointOpenVpn();
  const echo = network.device('echo', CLOUD, '100,400');
  const comesTo = (outcome: 'connected' | 'refused', file: string) =>
    eventually(`${file} is ${outcome}`, async () => (await connect(file)) === outcome);
  await writeFile(network.path('third.ovpn'), await network.endpoint('add-home', 'third'));
  await comesTo('connected', 'third.ovpn');
  await writeFile(network.path('new.ovpn'), await network.endpoint('rotate', 'third'));
  await comesTo('connected', 'new.ovpn');
  t.is(await connect('third.ovpn'), 'refused', 'its old keys');
  await network.endpoint('remove-home', 'third');
  await comesTo('refused', 'new.ovpn');
  t.like(await echo, { missing: 0, damaged: 0 });
  t.is(await endpointOpenVpn(), openvpn, 'OpenVPN goes on');
});

test.serial('devices reach the endpoint’s resolver and nothing else of it', async (t) => {
  const name = await network.netns('devices', [
    process.execPath,
    'build/test/net/programs/lookup.js',
    '192.168.8.11',
    '192.168.8.1',
  ]);
  t.like(JSON.parse(name), { answered: true });
  // Something that would answer on the endpoint itself, were it let.
  network.start('endpoint', ['socat', 'TCP-LISTEN:22,fork,reuseaddr', 'SYSTEM:true']);
  // Port 53 is answered whatever the address, port 22 nowhere; no address of the inside is reached but by the tunnel.
  t.deepEqual(await network.device('probe', lab.endpointAddress), { dns: true, ssh: false });
  t.deepEqual(await network.device('probe', '10.214.0.1'), { dns: false, ssh: false });
});

test.serial('a removed home is let go', async (t) => {
  await network.endpoint('remove-home', 'second');
  await eventually(
    'the removed home is listed no more',
    async () => (await endpointStatus()).homes.length === 1,
  );
  await network.await('shaping');
  t.like(await network.device('echo', CLOUD, '100,3'), { missing: 0 });
  await eventually('its class behind OpenVPN is gone', async () => {
    const show = ['tc', 'class', 'show', 'dev', 'iotclk0'];
    return !/class htb 2:3 /.test(await network.netns('endpoint', show));
  });
});

test.serial(
  'a home that its operator allows less is held back, told why, and served again once it may be',
  async (t) => {
    await network.endpoint('limit', 'lab', '--down', '20');
    const reason = await eventually('the home says why', async () => {
      const status = await network.status();
      return status?.state === 'blocked' && /operator/.test(status.reason) && status.reason;
    });
    t.regex(reason, /: 20 KB\/s down are allowed, and 40 are asked for; .*download_rate=20;/);
    const [refused] = (await endpointStatus()).homes;
    t.like(refused, { online: false, refused: '20 KB/s down are allowed, and 40 are asked for' });
    await network.endpoint('limit', 'lab', '--down', 'none');
    await network.await('shaping');
    const [served] = (await endpointStatus()).homes;
    t.like(served, { online: true, refused: null });
    await eventually('what it has is counted', async () => {
      const [counted] = (await endpointStatus()).homes;
      return counted!.month_gb > served!.month_gb;
    });
  },
);

test.serial('a stopped endpoint leaves nothing', async (t) => {
  await network.stop('home');
  await network.stop('endpoint');
  const after = await network.traces('endpoint');
  // What a test before this one started there listens on.
  t.deepEqual({ ...after, processes: after.processes!.replace(/^socat$/m, '') }, before);
});

async function readProfile(file: string): Promise<Profile> {
  const verdict = checkProfile(await readFile(network.path(file), 'utf8'), pemReader);
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems));
  return verdict.profile;
}

/** What comes of it when a home connects with this profile; it is gone then. */
async function connect(file: string): Promise<'connected' | 'refused'> {
  const profile = await readProfile(file);
  const config = renderTrialOpenVpn({ profile, managementSocket: 'unused', plainUser: null });
  const path = network.path(`${file}.conf`);
  await writeFile(path, config.replace(/^management.*$/gm, ''), { mode: 0o600 });
  const openvpn = network.start('cloud', ['openvpn', '--config', path]);
  let said = '';
  const outcome = await new Promise<'connected' | 'refused'>((done, fail) => {
    openvpn.stdout!.on('data', (text) => {
      said += text;
      if (said.includes('Initialization Sequence Completed')) done('connected');
      if (said.includes('AUTH_FAILED')) done('refused');
    });
    openvpn.once('exit', () => fail(new Error(said)));
  });
  const gone = new Promise((exit) => openvpn.once('exit', exit));
  openvpn.kill('SIGTERM');
  await gone;
  return outcome;
}

/** Process of the endpoint's OpenVPN. */
async function endpointOpenVpn(): Promise<string> {
  const pids = await network.netns('endpoint', [
    'ip',
    'netns',
    'pids',
    network.topology.names.endpoint,
  ]);
  const names = await Promise.all(
    pids
      .trim()
      .split('\n')
      .map(async (pid) => ({
        pid,
        name: await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''),
      })),
  );
  return names.find(({ name }) => name === 'openvpn\n')!.pid;
}

async function endpointStatus(): Promise<EndpointStatus> {
  const argv = [process.execPath, 'dist/iotshaper.js', 'status', '--json', '--run-dir'];
  return JSON.parse(await network.netns('endpoint', [...argv, network.path('run-endpoint')]));
}
