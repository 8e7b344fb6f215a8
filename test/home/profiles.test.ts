// A profile that was edited by hand on the router, on a machine of models: the one that worked last is used until it works.
import test, { type ExecutionContext } from 'ava';
import { HomeService } from '../../src/shell/home/home-service.ts';
import {
  createHomeMachine,
  homePaths,
  readInterfaces,
} from '../stand-ins/fake-system/home-machine.ts';
import type { FakeMachine } from '../stand-ins/fake-system/machine.ts';

const PATH = '/etc/iotshaper/home.ovpn';
const KEPT = '/etc/iotshaper/last-good.ovpn';

async function start(machine: FakeMachine, log: string[] = []): Promise<HomeService> {
  const service = new HomeService({
    ...{ system: machine.system, ...homePaths, readInterfaces },
    log: (level, text) => log.push(`${level}: ${text}`),
  });
  await machine.finish(service.start());
  await machine.advance(6000);
  return service;
}

/** A router whose service has worked, and was stopped; then its profile is edited. */
async function editWhileStopped(t: ExecutionContext, edit: (text: string) => string) {
  const machine = createHomeMachine({ seed: 7 });
  const service = await start(machine);
  t.is(service.status().state, 'shaping');
  await machine.finish(service.stop());
  const works = machine.files.text(PATH)!;
  t.is(machine.files.text(KEPT), works);
  t.is(machine.files.modeOf(KEPT), 0o600);
  machine.files.plant(PATH, edit(works), 0o600);
  return { machine, works };
}

const isShaping = (service: HomeService) => service.status().state === 'shaping';
const elsewhere = (text: string) => text.replace(/^remote \S+/m, 'remote nowhere.example');

test('one that does not connect is named, and the one that worked goes on', async (t) => {
  const { machine, works } = await editWhileStopped(t, elsewhere);
  machine.world.refuses = (config) => config.includes('nowhere.example');
  const service = await start(machine);
  const warned = () => service.status().config.warnings.join('\n');
  await machine.awaitThat(() => /is not used/.test(warned()), 30_000);
  await machine.awaitThat(() => isShaping(service), 10_000);
  const { state, config, tunnel } = service.status();
  t.is(state, 'shaping');
  t.regex(config.warnings.join('\n'), /the new profile is not used, and the one before it stays/);
  t.regex(tunnel.remote, /^vps\.example\.org/);
  t.is(machine.files.text(KEPT), works);
  await machine.finish(service.stop());
});

test('one that works takes over, and is the one that is kept', async (t) => {
  const { machine } = await editWhileStopped(t, elsewhere);
  const service = await start(machine);
  await machine.awaitThat(
    () => machine.files.text(KEPT) === machine.files.text(PATH) && isShaping(service),
    20_000,
  );
  t.is(service.status().state, 'shaping');
  t.regex(service.status().tunnel.remote, /^nowhere\.example/);
  t.deepEqual(service.status().config.warnings, []);
  t.is(machine.files.text(KEPT), machine.files.text(PATH));
  await machine.finish(service.stop());
});

test('one that cannot be read is refused with its line, and the one that worked goes on', async (t) => {
  const { machine } = await editWhileStopped(t, (text) => text.replace('proto udp', 'proto tcp'));
  const log: string[] = [];
  const service = await start(machine, log);
  const { state, config } = service.status();
  t.is(state, 'shaping');
  t.false(config.ok);
  t.regex(
    config.errors[0]!.message,
    /^iotshaper\.tunnel\.profile: .*line \d+: proto tcp: must be udp/,
  );
  t.regex(log.join('\n'), /warning: the last good configuration, with the profile that worked/);
  await machine.finish(service.stop());
});

test('where none has worked yet, one with the right control key takes the place of one with another', async (t) => {
  const machine = createHomeMachine({ seed: 7 });
  const works = machine.files.text(PATH)!;
  machine.files.plant(PATH, works.replace(/control-key \S+/, `control-key ${'A'.repeat(43)}=`));
  const service = await start(machine);
  t.is(service.status().state, 'starting');
  await machine.finish(service.storeProfile({ text: works }));
  await machine.advance(10_000);
  t.is(service.status().state, 'shaping');
  await machine.finish(service.stop());
});

test('one with the control key of another home connects, is not answered, and gives way', async (t) => {
  const machine = createHomeMachine({ seed: 7 });
  const log: string[] = [];
  const service = await start(machine, log);
  const works = machine.files.text(PATH)!;
  const key = /control-key \S+/.exec(works)![0];
  const text = works.replace(key, `control-key ${Buffer.alloc(32, 7).toString('base64')}`);
  t.like(await machine.finish(service.storeProfile({ text })), { ok: true, tried: true });
  await machine.advance(10_000);
  t.not(service.status().state, 'shaping');
  t.regex(service.status().config.warnings.join(), /unless the endpoint answers inside the tunnel/);
  await machine.awaitThat(() => isShaping(service), 60_000);
  t.is(service.status().state, 'shaping', log.join('\n'));
  t.regex(service.status().config.warnings.join(), /it connects, but within 45 seconds/);
  t.is(machine.files.text(PATH), works);
  t.is(machine.files.text(KEPT), works);
  t.false(log.join('\n').includes(text.split('control-key ')[1]!.slice(0, 40)));
  await machine.finish(service.stop());
});
