// Where the shaping thread starts: the module that a thread of its role runs.
import { nodeSystem } from '../system/node/node-system.ts';
import { threadPort } from '../system/node/thread-port.ts';
import { SHAPER_ROLE } from './messages.ts';
import { ShaperThread } from './thread.ts';

/** Address of this module, or of the bundle it is part of. */
export const SHAPER_THREAD_URL = new URL(import.meta.url);

const port = threadPort(SHAPER_ROLE);
if (port) new ShaperThread(port, nodeSystem);
