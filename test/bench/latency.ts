// What a lone device packet waits, one way up, app to app: at the default rate, and in a plain tunnel (slots without end).
// Run as root after `make build`: node build/test/bench/latency.js [COUNT]
import { join, resolve } from 'node:path';
import { CLOUD, DEVICE, HomeNetwork } from '../net/home-network.ts';

const count = Number(process.argv[2] ?? 300);
const PROGRAM = join(resolve('build/test/net/programs'), 'delay.js');
const PORT = '9100';
const SLOT_MS = 512 / 40;

async function measure(network: HomeNetwork): Promise<number[]> {
  const receiver = network.start('cloud', [
    process.execPath,
    PROGRAM,
    'receive',
    CLOUD,
    PORT,
    `${count}`,
  ]);
  await new Promise<void>((ready) => receiver.stderr!.once('data', () => ready()));
  const said = new Promise<string>((done) => {
    let text = '';
    receiver.stdout!.on('data', (piece) => {
      text += piece;
    });
    receiver.once('close', () => done(text));
  });
  const words = ['send', DEVICE, CLOUD, PORT, `${count}`, '100', '100'];
  const sender = network.start('devices', [process.execPath, PROGRAM, ...words]);
  sender.once('exit', () => receiver.kill('SIGTERM'));
  return JSON.parse(await said) as number[];
}

function describe(name: string, delaysMs: number[]): number {
  const sorted = delaysMs.toSorted((a, b) => a - b);
  const mean = sorted.reduce((sum, delay) => sum + delay, 0) / sorted.length;
  const median = sorted[Math.floor(sorted.length / 2)]!;
  console.log(
    `${name}: ${sorted.length} of ${count} packets, mean ${mean.toFixed(2)} ms, median ${median.toFixed(2)}, longest ${sorted.at(-1)!.toFixed(2)}`,
  );
  return mean;
}

const network = await HomeNetwork.build({ id: 'delay', main: ["option mode 'constant'"] });
try {
  network.startEndpoint();
  network.startHome();
  await network.await('shaping');
  const constant = describe('constant, 40 KB/s', await measure(network));
  await network.configure([]);
  await network.reload();
  const vit = describe('vit, 40 KB/s', await measure(network));
  const always =
    "config schedule 'plain'\n\tlist days 'mon'\n\tlist days 'tue'\n\tlist days 'wed'\n\tlist days 'thu'\n\tlist days 'fri'\n\tlist days 'sat'\n\tlist days 'sun'\n\toption start '00:00'\n\toption end '00:00'\n\toption rate '0'\n";
  await network.configure([], [always]);
  await network.reload();
  await network.await('shaping');
  const bare = describe('plain tunnel', await measure(network));
  const half = SLOT_MS / 2;
  console.log(
    `half a slot is ${half.toFixed(2)} ms; added over the plain tunnel: constant ${(constant - bare).toFixed(2)} ms, vit ${(vit - bare).toFixed(2)} ms`,
  );
  console.log(`limit (1.25 × half a slot + plain tunnel): ${(1.25 * half + bare).toFixed(2)} ms`);
} finally {
  await network.close();
}
process.exit(0);
