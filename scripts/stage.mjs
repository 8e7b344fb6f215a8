// Lays out dist/root as the router will have it, for OpenWrt's SDK to pack.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { routerFiles } from './package-files.mjs';

const root = process.argv[2] ?? 'dist/root';
rmSync(root, { recursive: true, force: true });
mkdirSync(root, { recursive: true });
for (const { path, mode, data } of routerFiles()) {
  const target = join(root, path);
  if (data === undefined) mkdirSync(target, { mode });
  else {
    writeFileSync(target, data);
    chmodSync(target, mode ?? 0o644);
  }
}
