// Loaded ahead of the program by NODE_OPTIONS: has its shaping thread throw once a file says so.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const LOOK_MS = 50;

const folder = process.env.THROW_WHEN_TOLD;
if (!isMainThread && folder !== undefined) {
  // A thread has none of the words that its process was called with.
  const words = readFileSync('/proc/self/cmdline', 'utf8').split('\0');
  const role = words.includes('endpoint') ? 'endpoint' : 'home';
  const told = join(folder, `throw-${role}`);
  const looking = setInterval(() => {
    if (!existsSync(told)) return;
    rmSync(told);
    throw new Error('told to throw');
  }, LOOK_MS);
  looking.unref();
}
