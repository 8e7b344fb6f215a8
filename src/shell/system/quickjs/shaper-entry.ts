// Where the shaping thread starts on QuickJS: the program itself, which has been called as that thread.
import { SHAPER_ROLE } from '../../shaper/messages.ts';
import { ShaperThread } from '../../shaper/thread.ts';
import { quickjsSystem } from './quickjs-system.ts';
import { threadPort } from './thread.ts';

/** Nobody asks for it: a thread is the program with other words. */
export const SHAPER_THREAD_URL = { href: '' };

/** Whether this process is that thread, which then runs. */
export function runShaper(): boolean {
  const port = threadPort(SHAPER_ROLE);
  if (port) new ShaperThread(port, quickjsSystem);
  return port !== null;
}
