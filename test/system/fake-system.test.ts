// The stand-in for a machine: that it answers as the real tools do, and that the real service runs on it.
import test from 'ava';
import { HomeService } from '../../src/shell/home/home-service.ts';
import { createHomeMachine, homePaths } from '../stand-ins/fake-system/home-machine.ts';

test('a home service starts on it, shapes, and leaves nothing when it stops', async (t) => {
  const machine = createHomeMachine();
  performance.now = () => machine.time.nowMs;
  const before = machine.printKernel();
  const lines: string[] = [];
  const service = new HomeService({
    system: machine.system,
    ...homePaths,
    log: (level, text) => lines.push(`${machine.time.nowMs} ${level}: ${text}`),
  });
  await machine.finish(service.start());
  for (let i = 0; i < 12; i++) {
    await machine.advance(1000);
    lines.push(`${service.status().state} ${service.status().reason} ${machine.devicesMaySend()}`);
  }
  t.log(lines.join('\n'));
  t.log(machine.print());
  t.log(machine.door.print());
  await machine.finish(service.stop());
  t.is(machine.printKernel(), before);
});
