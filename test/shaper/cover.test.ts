// Cover with nothing to hold it back: it must stop itself.
import { createSocket } from 'node:dgram';
import test from 'ava';
import { wordsOf } from '../../src/core/notices/words.ts';
import { COVER_PORT } from '../../src/core/plan/names.ts';
import { Cover, chargedBytes } from '../../src/shell/shaper/cover.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import type { System } from '../../src/shell/system/system.ts';

test('what a queued datagram is charged', (t) => {
  t.is(chargedBytes(512), 1280);
  t.is(chargedBytes(256), 1280);
  t.is(chargedBytes(1400), 2304);
});

/** A second takes a hundredth of one. */
const hurried: System = {
  ...nodeSystem,
  clock: { ...nodeSystem.clock, monotonicMs: () => nodeSystem.clock.monotonicMs() * 100 },
  timers: {
    ...nodeSystem.timers,
    after: (delayMs, work) => nodeSystem.timers.after(delayMs / 100, work),
  },
};

test('without a queue that holds it back, cover leaves no faster than it may, then stops itself and says so', async (t) => {
  const sink = createSocket('udp4');
  const bound = await new Promise<boolean>((resolve) => {
    sink.once('error', () => resolve(false));
    sink.bind(COVER_PORT, '127.0.7.2', () => resolve(true));
  });
  if (!bound) {
    t.log('NOT RUN: port 9 needs root');
    if (process.env.CI) t.fail('port 9 needs root');
    else t.pass();
    return;
  }
  t.teardown(() => sink.close());
  const sizes = new Set<number>();
  sink.on('message', (datagram) => sizes.add(datagram.length));
  const faults: string[] = [];
  const packetsPerS = 78.125;
  const cover = await new Promise<Cover>((resolve, reject) => {
    const one: Cover = new Cover({
      system: hurried,
      local: '127.0.7.1',
      peer: '127.0.7.2',
      packetBytes: 512,
      packetsPerS,
      onFault: (fault) => {
        faults.push(wordsOf(fault));
        resolve(one);
      },
    });
    t.teardown(() => one.close());
    one.open().catch(reject);
  });
  t.deepEqual(faults, ['cover leaves faster than the rate: nothing holds it back']);
  t.true(cover.sent >= packetsPerS, 'what it may send ahead');
  const { sent } = cover;
  await new Promise((resolve) => setTimeout(resolve, 100)); // what must not happen has no event
  t.is(cover.sent, sent);
  // Two seconds' worth stands ready; the rest goes at little more than the rate.
  t.true(sent < (2 * 1.5 + 20 * 1.25) * packetsPerS, `${sent} sent before it noticed`);
  t.deepEqual([...sizes], [484]);
});

test('a peer that refuses is told as a fault, again and again, until closed', async (t) => {
  let faults = 0;
  await new Promise<void>((resolve, reject) => {
    const cover = new Cover({
      system: nodeSystem,
      local: '127.0.7.3',
      peer: '127.0.7.4',
      packetBytes: 256,
      packetsPerS: 10,
      onFault: (fault) => {
        const text = wordsOf(fault);
        if (!/^empty packets can't be sent|^the tunnel’s network device is gone/.test(text))
          reject(new Error(text));
        if (++faults < 2) return;
        cover.close();
        resolve();
      },
    });
    cover.open().catch(reject);
  });
  t.is(faults, 2);
});
