// The real system, whose files start at a folder of a test.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import type { Clock, System } from '../../src/shell/system/system.ts';

export interface MachineParts {
  environment?: Record<string, string>;
  clock?: Clock;
}

/** What a machine is to those who look for its small files; all of it that is not given is this one's. */
export function machineBelow(root: string, { environment = {}, clock }: MachineParts = {}): System {
  const { files, processes } = nodeSystem;
  return {
    ...nodeSystem,
    clock: clock ?? nodeSystem.clock,
    files: {
      ...files,
      exists: (path) => files.exists(join(root, path)),
      readNow: (path) => files.readNow(join(root, path)),
      // At once, so that a test sees it without waiting.
      write: async (path, content) => writeFileSync(join(root, path), content),
    },
    processes: { ...processes, environment: (name) => environment[name] },
  };
}
