// Reads packages with the system's own tools, for the tests.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A day in 2001: no file of ours is that old. */
export const DATE = 1_000_000_000;

/** A folder that goes with the test. */
export function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-package-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a build script with all files dated {@link DATE}; returns what it printed. */
export function build(script: string, ...args: string[]): string {
  return execFileSync(process.execPath, [resolve(`scripts/${script}.mjs`), ...args], {
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: `${DATE}` },
  });
}

export interface Listed {
  mode: string;
  owner: string;
  size: number;
  seconds: number;
  path: string;
}

/** Lists a gzip'd tar as GNU tar sees it. */
export function listTar(bytes: Buffer): Listed[] {
  const argv = ['tvz', '--numeric-owner', '--full-time', '--utc', '-f', '-'];
  const text = execFileSync('tar', argv, {
    input: bytes,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [mode, owner, size, day, time, path] = line.split(/\s+/) as [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      return {
        mode,
        owner,
        size: Number(size),
        seconds: Date.parse(`${day}T${time}Z`) / 1000,
        path,
      };
    });
}

/** One member of a gzip'd tar. */
export function readTar(bytes: Buffer, path: string): Buffer {
  return execFileSync('tar', ['xzOf', '-', path], { input: bytes, maxBuffer: 2 ** 26 });
}

/** Unpacks a gzip'd tar, modes as they stand. */
export function unpackTar(bytes: Buffer, folder: string): void {
  execFileSync('tar', ['xzpf', '-', '-C', folder], { input: bytes });
}
