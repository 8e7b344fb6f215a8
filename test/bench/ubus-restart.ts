// Bench: how soon an object is back after ubusd went and came: node build/test/bench/ubus-restart.js [ROUNDS]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { UbusClient } from '../../src/shell/ubus/client.ts';
import { startUbusd } from '../stand-ins/ubusd/ubusd.ts';

const rounds = Number(process.argv[2] ?? 5);
/** What a person waits for the page to answer again; ten times as long is broken. */
const WANTED_MS = 2000;

const folder = mkdtempSync(join(tmpdir(), 'iotshaper-ubus-'));
const socketPath = join(folder, 'ubus.sock');
let daemon = await startUbusd(socketPath);
const client = new UbusClient(nodeSystem, { socketPath });
const published = client.publish({
  path: 'iotshaper',
  methods: { status: { arguments: {}, handler: () => ({ state: 'shaping' }) } },
});
await published.whenPresent();
for (const awayMs of [0, 2500]) {
  const backMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await daemon.close();
    await new Promise((later) => setTimeout(later, awayMs));
    daemon = await startUbusd(socketPath);
    const startMs = performance.now();
    await published.whenPresent();
    backMs.push(performance.now() - startMs);
  }
  const longest = Math.max(...backMs);
  console.log(
    `away ${awayMs} ms: back after ${backMs.map((ms) => ms.toFixed(0)).join(' ')} ms (wanted: ${WANTED_MS})`,
  );
  if (longest > 10 * WANTED_MS) process.exitCode = 1;
}
client.close();
await daemon.close();
rmSync(folder, { recursive: true, force: true });
