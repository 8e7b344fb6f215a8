// A home whose devices are chosen otherwise than before: what stood for them gives way to what is to stand.
import test from 'ava';
import { HomeService } from '../../src/shell/home/home-service.ts';
import {
  createHomeMachine,
  defaultConfig,
  homePaths,
  readInterfaces,
} from '../stand-ins/fake-system/home-machine.ts';

const single = defaultConfig.replace(
  "config network\n\toption device 'br-iot'",
  "config device\n\tlist ip '192.168.8.11'",
);

test('from a whole network to one device of it and back, the second stop follows', async (t) => {
  const machine = createHomeMachine({ seed: 7 });
  const service = new HomeService({
    ...{ system: machine.system, ...homePaths, readInterfaces },
    log: () => {},
  });
  const stops = () =>
    machine.ip.rules
      .filter(({ family, table }) => family === 4 && table === '7214')
      .map(({ source, iif }) => [source ?? 'all', iif]);
  await machine.finish(service.start());
  await machine.advance(6000);
  t.deepEqual(stops(), [['all', 'br-iot']]);
  for (const [config, expected] of [
    [single, [['192.168.8.11', 'br-iot']]],
    [defaultConfig, [['all', 'br-iot']]],
  ] as const) {
    machine.files.plant(homePaths.configPath, config);
    await machine.finish(service.reload());
    await machine.advance(6000);
    t.is(service.status().state, 'shaping', service.status().reason);
    t.deepEqual(stops(), expected);
  }
});
