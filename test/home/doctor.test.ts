// `iotshaper doctor` at home: what status, check and the page say, in the same words and nothing else.
import test from 'ava';
import { runCli } from '../../src/shell/cli/program.ts';
import { HomeService } from '../../src/shell/home/home-service.ts';
import { CapturedConsole } from '../cli/captured-console.ts';
import {
  calmConfig,
  createHomeMachine,
  defaultConfig,
  homePaths,
  readInterfaces,
} from '../stand-ins/fake-system/home-machine.ts';
import type { FakeMachine } from '../stand-ins/fake-system/machine.ts';
import '../../src/shell/cli/home.ts'; // read once, in the time of the world outside

interface Ended {
  status: number | null;
  out: string;
}

/** The command as typed on this machine. */
async function doctor(machine: FakeMachine, ...words: string[]): Promise<Ended> {
  const console = new CapturedConsole('doctor', ...words);
  const context = { system: machine.system, console };
  await machine.finish(runCli(context));
  return { status: console.status, out: console.out };
}

async function startHome(config = calmConfig): Promise<[FakeMachine, HomeService]> {
  const machine = createHomeMachine({ seed: 7, config });
  const service = new HomeService({
    ...{ system: machine.system, ...homePaths, readInterfaces, log: () => {} },
  });
  await machine.finish(service.start());
  await machine.advance(6000);
  return [machine, service];
}

test('where nothing is wrong it says how things stand', async (t) => {
  const [machine, service] = await startHome();
  const { reason } = service.status();
  t.deepEqual(await doctor(machine), { status: 0, out: `Nothing found. ${reason}\n` });
});

test('what stands in the way comes first, in the words of the status', async (t) => {
  const [machine, service] = await startHome();
  machine.plants.networkGone();
  await machine.advance(12_000);
  const { reason, config } = service.status();
  t.regex(reason, /^Not protected: .*"br-iot" is no network device now/);
  const said = [reason, ...config.warnings].map((line) => `${line}\n`).join('');
  t.deepEqual(await doctor(machine), { status: 1, out: said });
  const { out } = await doctor(machine, '--json');
  const { ok, findings } = JSON.parse(out);
  t.false(ok);
  t.deepEqual(
    findings.map(({ code, message }: { code: string; message: string }) => [code, message]),
    [
      [service.status().reason_code, reason],
      ...config.warning_notices.map(({ code }, at) => [code, config.warnings[at]]),
    ],
  );
});

test('what is wrong besides is told once, though the sentence tells it too', async (t) => {
  const [machine, service] = await startHome();
  machine.plants.redirect(853);
  await machine.advance(2000);
  const { status, out } = await doctor(machine);
  t.is(status, 1);
  t.is(out, `${service.status().reason.split('. Your provider')[0]}.\n`);
});

test('a configuration that is refused is told with all that is wrong in it', async (t) => {
  const [machine, service] = await startHome(
    defaultConfig.replace("enabled '1'", "enabled 'maybe'\n\toption rate 'fast'"),
  );
  const { errors } = service.status().config;
  t.is(errors.length, 2);
  t.deepEqual(await doctor(machine), {
    status: 1,
    out: errors.map(({ message }) => `${message}\n`).join(''),
  });
});

test('without the service it says that, what check says, and what the networks tell; and it changes nothing', async (t) => {
  const machine = createHomeMachine({ seed: 7 });
  const before = machine.print();
  const first = /^The service is switched on, but does not run: .*\n/;
  const alone = await doctor(machine);
  t.is(alone.status, 1);
  t.regex(alone.out, first);
  t.is(alone.out.split('\n').length, 2);
  t.is(machine.print(), before);
  machine.plants.networkGone();
  const { out } = await doctor(machine);
  t.regex(out, /\niotshaper\.@network\[0\]\.device: "br-iot" is no network device now/);
});

test('what is switched off, and does not run, is no finding', async (t) => {
  const machine = createHomeMachine({
    config: defaultConfig.replace("enabled '1'", "enabled '0'"),
  });
  t.deepEqual(await doctor(machine), { status: 0, out: 'Nothing found.\n' });
});
