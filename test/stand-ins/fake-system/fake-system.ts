// The stand-in machine's door, as a service gets it.
import type { Random } from '../../../src/core/random/random.ts';
import { type System, SystemError } from '../../../src/shell/system/system.ts';
import type { FakeMachine } from './machine.ts';

/** @param random of bytes that nobody can guess. */
export function createSystem(machine: FakeMachine, random: Random): System {
  const { time, door, files, udp, unix, ip, processes, threads } = machine;
  const system: System = {
    clock: time.clock,
    timers: time.timers,
    files: files.view,
    sockets: {
      openUdp: (options) => udp.open(options),
      listen: (path, onConnection) => unix.listen(path, onConnection),
      connect: (path) => unix.connect(path),
      netdevAddresses: () =>
        [...ip.netdevs.values()].flatMap(({ name, mac = '', addresses }) =>
          addresses.map((cidr) => {
            const [address = '', length] = cidr.split('/');
            return { netdev: name, address, mac, length: Number(length) };
          }),
        ),
      serveWeb: () => Promise.reject(new SystemError('ENOTSUP', 'ENOTSUP: no page here')),
    },
    processes: processes.view(),
    randomBytes: (count) => drawBytes(random, count),
    startThread: (program, events) => {
      const failed = door.enter(`start thread ${program.role}`);
      if (failed) throw new SystemError('EAGAIN', 'EAGAIN: planted fault, start thread');
      return threads.start(system, program, events);
    },
  };
  return system;
}

function drawBytes(random: Random, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at++) bytes[at] = random() * 256;
  return bytes;
}
