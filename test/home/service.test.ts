// The home service on a machine of models: what others may ask of it, and what is done with single packets.
import test from 'ava';
import { NAMES_PORT } from '../../src/core/plan/names.ts';
import { encodeQuestion } from '../../src/research/lab/traffic/dns.ts';
import { HomeService } from '../../src/shell/home/home-service.ts';
import { askLocalApi } from '../../src/shell/machine/local-api.ts';
import {
  calmConfig,
  createHomeMachine,
  homePaths,
  readInterfaces,
} from '../stand-ins/fake-system/home-machine.ts';
import type { FakeMachine } from '../stand-ins/fake-system/machine.ts';
import type { Plants } from '../stand-ins/fake-system/plants.ts';

interface Home {
  machine: FakeMachine;
  service: HomeService;
  log: string[];
}

async function startHome(prepare: (machine: FakeMachine) => void = () => {}): Promise<Home> {
  const machine = createHomeMachine({ seed: 7 });
  const log: string[] = [];
  const service = new HomeService({
    ...{ system: machine.system, ...homePaths, readInterfaces },
    log: (level, text) => log.push(`${level}: ${text}`),
  });
  prepare(machine);
  await machine.finish(service.start());
  await machine.advance(6000);
  return { machine, service, log };
}

/** Lets time pass until it shapes; no longer than so. */
async function untilShaping({ machine, service }: Pick<Home, 'machine' | 'service'>, ms: number) {
  await machine.awaitThat(() => service.status().state === 'shaping', ms);
}

/** The longest that a start takes on a machine whose programs take next to no time; OpenVPN's handshake is 0.3 s of it. */
for (const [rate, withinMs] of [
  ['40', 2500],
  ['8', 3500],
  ['4', 3500],
] as const) {
  test(`a home at ${rate} KB/s shapes within ${withinMs} ms of its start`, async (t) => {
    const config = calmConfig.replace("rate '8'", `rate '${rate}'`);
    const machine = createHomeMachine({ seed: 7, config });
    const startedMs = machine.time.nowMs;
    const service = new HomeService({
      ...{ system: machine.system, ...homePaths, readInterfaces },
      log: () => {},
    });
    await machine.finish(service.start());
    t.not(service.status().state, 'shaping');
    await machine.advance(startedMs + withinMs - machine.time.nowMs);
    t.is(service.status().state, 'shaping');
  });
}

/** The program's own tools, as they print and end. */
function addTool(machine: FakeMachine, name: string, afterMs: number, stdout: string): void {
  machine.processes.programs.unshift((argv, life) => {
    if (!argv.includes(name)) return null;
    const cancel = machine.time.timers.after(afterMs, () => {
      if (stdout === '') life.printError(`iotshaper: ${name} saw nothing\n`);
      else life.print(stdout);
      life.exit(stdout === '' ? 1 : 0);
    });
    return { onEnd: cancel };
  });
}

test('a device’s packet goes through the tunnel, and not while devices are held', async (t) => {
  const { machine } = await startHome();
  const { received } = machine.far;
  const before = received.devicePackets;
  t.is(machine.sendFromDevice(), 'tunnel');
  await machine.advance(1000);
  // Two more may be the service's own, which asks whether devices are answered.
  t.true([1, 3].includes(received.devicePackets - before), `${received.devicePackets}`);
  machine.plants.tunnelDown();
  await machine.advance(500);
  t.is(machine.sendFromDevice(), 'held');
});

const silences: [what: string, world: Partial<FakeMachine['world']>, says: RegExp][] = [
  ['the server answers otherwise', {}, /though the server there answers otherwise, so a firewall/],
  ['the Internet works otherwise', { answersPing: false }, /though the Internet works here/],
  [
    'nobody answers at all',
    { answersPing: false, answersNames: false },
    /nobody else on the Internet answers either; see that your line works/,
  ],
];

for (const [what, world, says] of silences) {
  test(`an endpoint that says nothing while ${what}: the place is named, and where to look`, async (t) => {
    const { machine, service } = await startHome((one) =>
      Object.assign(one.world, { isReachable: false, ...world }),
    );
    await machine.advance(9000);
    const { reason } = service.status();
    t.regex(reason, /nothing answers at 203\.0\.113\.7:1194 over UDP/);
    t.regex(reason, says);
    if (world.answersNames ?? true)
      t.regex(reason, /"iotshaper endpoint doctor".* let UDP port 1194 in .* hosting provider/);
    await machine.advance(60_000);
    t.regex(service.status().reason, says, 'as long as it lasts');
    Object.assign(machine.world, { isReachable: true });
    await untilShaping({ machine, service }, 60_000);
    t.is(service.status().state, 'shaping');
  });
}

test('of an endpoint that answers nobody needs to be asked', async (t) => {
  const { machine } = await startHome();
  await machine.advance(60_000);
  t.false(machine.calls.some(({ what }) => /ping|:0$/.test(what)));
});

test('what its endpoint refuses is told with the rate that it may have, and a lower one is served', async (t) => {
  const { machine, service } = await startHome();
  machine.far.refusal = { code: 'full', asked: 78.2, allowed: 20 };
  machine.far.streams = false;
  await machine.advance(30_000);
  t.like(service.status(), { state: 'blocked' });
  t.regex(
    service.status().reason,
    /operator refuses this home: the server has room for 20 of its packets a second, and 78\.2 are asked for; choose a lower rate: run "uci set iotshaper\.main\.download_rate=10\.2; /,
  );
  machine.far.refusal = null;
  machine.far.streams = true;
  await machine.advance(10_000);
  t.is(service.status().state, 'shaping');
});

test('commands ask it over its socket, and are told what it says of itself', async (t) => {
  const { machine, service } = await startHome();
  const ask = (method: string) =>
    machine.finish(askLocalApi(machine.system, '/var/run/iotshaper/api.sock', { method }));
  t.is(((await ask('status')) as { state: string }).state, 'shaping');
  t.deepEqual(await ask('reload'), { ...service.status().config });
  t.deepEqual(await ask('check'), { ...service.status().config });
  t.true(((await ask('history')) as unknown[]).length > 3);
  await t.throwsAsync(ask('nonsense'), { message: /there is no method/ });
});

test('devices are guarded though commands can’t reach it, which the next reload mends', async (t) => {
  const { machine, service, log } = await startHome((one) =>
    one.door.failMatching(/^listen .*api/),
  );
  t.is(service.status().state, 'shaping');
  t.regex(log.join('\n'), /warning: commands such as iotshaper status can't reach the service/);
  const path = '/var/run/iotshaper/api.sock';
  await t.throwsAsync(machine.finish(askLocalApi(machine.system, path, { method: 'status' })));
  await machine.finish(service.reload());
  t.truthy(await machine.finish(askLocalApi(machine.system, path, { method: 'status' })));
});

test('an audit runs beside it, one at a time, and its report is kept', async (t) => {
  const { machine, service } = await startHome();
  t.deepEqual(service.auditResult(), { state: 'none' });
  addTool(machine, 'audit', 20_000, '{"report":{"leaks":false}}');
  t.like(await machine.finish(service.audit({ seconds: 15 })), { started: true, seconds: 15 });
  t.like(await machine.finish(service.audit({ seconds: 15 })), { started: false });
  await machine.advance(7500);
  t.like(service.auditResult(), { state: 'running', progress_percent: 50 });
  await machine.advance(11_000);
  t.like(service.auditResult(), { state: 'running', progress_percent: 99 });
  await machine.advance(3000);
  t.like(service.auditResult(), { state: 'done', leaks: false, seconds: 15 });
});

test('an audit that fails says so in the tool’s words; one that runs ends with the service', async (t) => {
  const { machine, service } = await startHome();
  addTool(machine, 'audit', 3000, '');
  await machine.finish(service.audit({ seconds: 10 }));
  await machine.advance(4000);
  const report = service.auditResult();
  t.is(report.state, 'failed');
  t.regex(report.sentence ?? '', /audit saw nothing/);
  await machine.finish(service.audit({ seconds: 10 }));
  t.is(machine.processes.find('audit').length, 1);
  await machine.finish(service.stop());
  t.is(machine.processes.find('audit').length, 0);
});

test('a recommendation is asked of the tool, which is ended where it takes too long', async (t) => {
  const { machine, service } = await startHome();
  const latency = { mean_ms: 81.4, max_ms: 950 };
  const shape = { packet_bytes: 512, mode: 'vit' };
  const best = { shape, up: { rate_kBps: 9, latency }, down: { rate_kBps: 30, latency } };
  const advice = JSON.stringify({ best: { ...best, gb_per_month: 101.237 } });
  addTool(machine, 'recommend', 2000, advice);
  t.like(await machine.finish(service.recommend()), {
    ...{ ok: true, upload_kBps: 9, download_kBps: 30, packet_size: 512 },
    ...{ mean_ms: 81, max_ms: 950, gb_per_month: 101.24 },
  });
  addTool(machine, 'recommend', 1000, '{}');
  t.like(await machine.finish(service.recommend()), { ok: false });
  addTool(machine, 'recommend', 60_000, '{}');
  const startedMs = machine.time.nowMs;
  t.like(await machine.finish(service.recommend()), { ok: false });
  t.is(machine.time.nowMs - startedMs, 25_000);
});

test('settings that refused to go back once go back the next time', async (t) => {
  const machine = createHomeMachine({ seed: 7 });
  const before = machine.printKernel();
  const service = new HomeService({
    ...{ system: machine.system, ...homePaths, readInterfaces, log: () => {} },
  });
  await machine.finish(service.start());
  await machine.advance(6000);
  machine.door.failMatching(/^write .*ip_forward/);
  await machine.finish(service.stop());
  t.is(machine.printKernel(), before);
});

test('a line too slow for the rate: the sentence names the rate that fits, and no longer one steady stream of it', async (t) => {
  const { machine, service, log } = await startHome();
  machine.plants.lineCarries(0.66, 1);
  await machine.advance(90_000);
  const { state, reason, trouble_code: trouble, config } = service.status();
  t.is(state, 'shaping');
  t.is(trouble, 'upload-short');
  t.regex(
    reason,
    /^Your devices wait long or get nothing: only 6\d % .* run "uci set iotshaper\.main\.upload_rate=(4\.\d|5)/,
  );
  t.regex(reason, /Your provider sees one steady stream, slower than you asked for\./);
  t.deepEqual(
    config.warning_notices.map(({ code }) => code),
    ['upload-short'],
  );
  const told = log.filter((line) => /^warning: only \d+ % of the packets/.test(line));
  t.true(told.length <= 3, told.join('\n'));
  machine.plants.lineCarries(1, 0.8);
  await machine.awaitThat(() => service.status().trouble_code === 'download-short', 90_000);
  t.is(service.status().trouble_code, 'download-short');
  machine.plants.lineCarries(1, 0.3);
  await machine.awaitThat(() => service.status().fault_code !== undefined, 10_000);
  t.is(service.status().fault_code, 'endpoint-stream-thin');
  machine.plants.lineCarries(1, 1);
  await machine.awaitThat(() => /^Your provider/.test(service.status().reason), 30_000);
  t.regex(service.status().reason, /^Your provider sees one steady stream of 8 KB\/s\./);
});

test('what a redirect takes to the router is dropped with a word, for as long as it is tried', async (t) => {
  const { machine, service } = await startHome();
  machine.plants.redirect(853);
  machine.plants.redirect(80);
  await machine.advance(2000);
  const { state, reason, config } = service.status();
  t.is(state, 'shaping');
  t.regex(reason, /^Some of what your devices ask for gets no answer: .* on port 80 and 853 to /);
  t.regex(reason, /Your provider sees one steady stream of 8 KB\/s\./);
  t.deepEqual(
    config.warning_notices.map(({ code }) => code),
    ['redirect-dropped'],
  );
});

test('a network of the home where the tunnel’s inside is: refused at the start and at an upload, told while running', async (t) => {
  const lan = { name: 'br-old', kind: 'bridge', addresses: ['10.214.7.1/24'] };
  const said =
    /the network 10\.214\.7\.0\/24 on br-old lies in 10\.214\.0\.0\/16, .* --avoid 10\.214\.7\.0\/24/;
  const refused = await startHome(({ ip }) => ip.addNetdev(lan));
  t.is(refused.service.status().state, 'error');
  t.regex(refused.service.status().reason, said);
  t.is(refused.machine.nft.tables.size, 0, 'its own rules would cut that network off');
  const text = refused.machine.files.text('/etc/iotshaper/home.ovpn')!;
  const upload = await refused.machine.finish(refused.service.storeProfile({ text }));
  t.false(upload.ok);
  t.regex(upload.errors[0]!.message, said);

  const { machine, service } = await startHome();
  machine.ip.addNetdev(lan);
  await machine.awaitThat(() => service.status().state === 'blocked', 20_000);
  t.is(service.status().state, 'blocked');
  t.regex(service.status().reason, said);
  machine.ip.removeNetdev('br-old');
  await untilShaping({ machine, service }, 20_000);
  t.is(service.status().state, 'shaping');
  machine.ip.addNetdev({ ...lan, addresses: ['10.0.0.1/8'] });
  await machine.advance(20_000);
  t.is(service.status().state, 'shaping', 'a wider network loses a few addresses alone');
});

test('tunnel-interface-wan.conf: a netdev of somebody else for devices’ packets is refused, and left as it is', async (t) => {
  const { machine, service } = await startHome(({ files }) => {
    const other = `${calmConfig}\nconfig tunnel 'tunnel'\n\toption interface 'wan'\n`;
    files.plant(homePaths.configPath, other);
  });
  const { state, config } = service.status();
  t.is(state, 'error');
  t.regex(
    config.errors[0]!.message,
    /^iotshaper\.tunnel\.interface: "wan" is a network device that something else made and needs; .* run "uci set iotshaper\.tunnel\.interface=iot0;/,
  );
  t.deepEqual(machine.ip.netdevs.get('wan')?.addresses.map(String), ['198.51.100.10/24']);
  t.is(machine.nft.tables.size, 0);
});

test('reverse paths to devices are taken loosely, again after others set them strict', async (t) => {
  const { machine } = await startHome();
  const read = () => machine.settings.read('net/ipv4/conf/iot0/rp_filter');
  t.is(read(), '2\n');
  machine.plants.changeSettings();
  t.is(read(), '1\n');
  await machine.awaitThat(() => read() === '2\n', 15_000);
  t.is(read(), '2\n');
});

test('a name of the house is answered while the tunnel is down, and no other name', async (t) => {
  const { machine, service } = await startHome();
  machine.plants.tunnelDown();
  await machine.advance(1000);
  const ask = (name: string) => {
    const from = { address: '192.168.8.11', port: 5000 };
    const bytes = encodeQuestion({ id: 7, name, type: 'A' });
    machine.udp.deliver({ bytes, from, to: { address: '192.168.8.1', port: NAMES_PORT } });
  };
  ask('nobody.lan');
  ask('cloud.example');
  await machine.advance(1000);
  const answers = machine.namesAnswered.map(({ bytes, to }) => [
    to.address,
    to.port,
    bytes[3]! & 15,
  ]);
  t.deepEqual(answers, [['192.168.8.11', 5000, 3]]);
  await machine.finish(service.stop());
  t.false([...machine.udp.sockets].some(({ port }) => port === NAMES_PORT));
});

test('strict reverse paths that heed marks are loosened where devices come in, and put back', async (t) => {
  const { machine, service } = await startHome(({ settings }) => {
    settings.write('net/ipv4/conf/all/rp_filter', '1');
  });
  const read = () => machine.settings.read('net/ipv4/conf/br-iot/rp_filter');
  t.is(read(), '0\n', 'without marks nothing is in the way');
  machine.settings.write('net/ipv4/conf/all/src_valid_mark', '1');
  await machine.awaitThat(() => read() === '2\n', 15_000);
  t.is(read(), '2\n');
  await machine.finish(service.stop());
  t.is(read(), '0\n');
});

for (const [what, plant] of [
  ['the devices’ netdev', 'iot0'],
  ['the tunnel’s netdev', 'iotvpn0'],
] as const) {
  test(`${what} that others took down is brought back`, async (t) => {
    const { machine, service } = await startHome();
    machine.plants.takeDown(plant);
    const isUp = () => machine.ip.netdevs.get(plant)?.isUp === true;
    t.false(isUp());
    const isBack = () =>
      isUp() && service.status().state === 'shaping' && machine.wayOfDevices() === 'tunnel';
    await machine.awaitThat(isBack, 20_000);
    t.true(isUp());
    t.is(service.status().state, 'shaping');
    t.is(machine.wayOfDevices(), 'tunnel');
  });
}

const TAKEN: [what: string, plant: (plants: Plants) => void][] = [
  ['netdev', (plants) => plants.deleteTunnel()],
  ['address', (plants) => plants.loseAddresses('iotvpn0')],
  ['route', (plants) => plants.loseTunnelRoute()],
];

for (const [what, plant] of TAKEN) {
  test(`the tunnel’s ${what} that others deleted is made again, and nothing leaves directly meanwhile`, async (t) => {
    const { machine, service } = await startHome();
    plant(machine.plants);
    for (let second = 0; second < 12; second++) {
      await machine.advance(1000);
      t.not(machine.wayOfDevices(), 'internet');
    }
    t.is(service.status().state, 'shaping');
    t.is(machine.wayOfDevices(), 'tunnel');
  });
}

test('a shaping thread that throws is started again within seconds', async (t) => {
  const { machine, service } = await startHome();
  machine.plants.threadThrows();
  await machine.advance(8000);
  t.is(service.status().state, 'shaping');
});

test('rules that others edited are put back while the tunnel is down', async (t) => {
  const { machine } = await startHome();
  machine.plants.tunnelDown();
  await machine.advance(3000);
  machine.plants.editChain('forward', 'accept');
  machine.plants.editChain('zone_devices', 'accept');
  t.not(machine.wayOfDevices(), 'internet'); // by routing rules
  machine.plants.removeRoutes('7214');
  t.is(machine.wayOfDevices(), 'internet');
  await machine.advance(4000);
  t.is(machine.wayOfDevices(), 'held');
});

test('a start with a rate that this machine does not hold is refused in words, and a reload leaves the last good one', async (t) => {
  const fast = calmConfig.replace("rate '8'", "rate '2000'");
  const says =
    /iotshaper\.main\.rate: must be at most 1530 KB\/s, got "2000": .*choose a lower rate, a larger packet_size, or mode constant/;
  const { machine, service, log } = await startHome((one) =>
    one.files.plant(homePaths.configPath, fast, 0o600),
  );
  t.not(service.status().state, 'shaping');
  t.regex(service.status().reason, says);
  t.regex(log.join('\n'), says);

  machine.files.plant(homePaths.configPath, calmConfig, 0o600);
  await machine.finish(service.reload());
  await untilShaping({ machine, service }, 20_000);
  t.is(service.status().state, 'shaping');

  machine.files.plant(homePaths.configPath, fast, 0o600);
  const { errors } = await machine.finish(service.check());
  t.deepEqual(
    errors.map(({ path }) => path),
    ['iotshaper.main.rate'],
  );
  await machine.finish(service.reload());
  await machine.advance(3000);
  t.like(service.status(), { state: 'shaping' });
  t.regex(service.status().config.errors[0]!.message, says);
  t.is(service.status().rate?.upload_kBps, 8);
});
