// Loaded ahead of the program by NODE_OPTIONS: has its shaping thread throw once a file says so.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const LOOK_MS = 50;

const folder = process.env.THROW_WHEN_TOLD;
if (!isMainThread && folder !== undefined) {
  const role = process.argv.includes('endpoint') ? 'endpoint' : 'home';
  const told = join(folder, `throw-${role}`);
  const looking = setInterval(() => {
    if (!existsSync(told)) return;
    rmSync(told);
    throw new Error('told to throw');
  }, LOOK_MS);
  looking.unref();
}
