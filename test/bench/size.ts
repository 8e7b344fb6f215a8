// Measures what a router carries and keeps in memory: `node build/test/bench/size.js [STARTS]`, as root after `make build`.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HomeNetwork } from '../net/home-network.ts';
import {
  bytesOf,
  type ProgramFile,
  programFiles,
  routerParts,
  serviceParts,
} from '../package/program-files.ts';

const starts = Number(process.argv[2] ?? 20);
/** How many of the heaviest folders are named. */
const FOLDERS = 12;

const kB = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

/** A source's folder two levels down, or the package it is from. */
function folderOf(path: string): string {
  return path
    .split('/')
    .slice(0, path.startsWith('node_modules/') ? 2 : 3)
    .join('/');
}

function printFolders(files: readonly ProgramFile[]): void {
  const weights = new Map<string, number>();
  for (const [path, bytes] of files.flatMap(({ sources }) => [...sources])) {
    const folder = folderOf(path);
    weights.set(folder, (weights.get(folder) ?? 0) + bytes);
  }
  const heaviest = [...weights].sort(([, one], [, other]) => other - one).slice(0, FOLDERS);
  for (const [folder, bytes] of heaviest) console.log(`  ${folder.padEnd(28)} ${kB(bytes)}`);
}

/** Of one start of `node` with these words, until it has ended. */
function startMs(...words: string[]): number {
  const beganMs = performance.now();
  execFileSync(process.execPath, words, { stdio: 'ignore' });
  return performance.now() - beganMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

/** Of a process in memory, its threads' included. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}

const service = programFiles(serviceParts);
console.log(`service: ${kB(bytesOf(service))} in ${service.length} files`);
printFolders(service);
const all = programFiles(routerParts);
console.log(`all of a router's program: ${kB(bytesOf(all))} in ${all.length} files`);
const { buildIpk } = await import(pathToFileURL(resolve('scripts/ipk.mjs')).href);
console.log(`.ipk: ${kB(buildIpk().bytes.length)}`);

// In turns, so that a busy machine slows both.
const [programMs, emptyMs]: [number[], number[]] = [[], []];
for (let start = 0; start < starts; start++) {
  programMs.push(startMs('dist/iotshaper.js', '--version'));
  emptyMs.push(startMs('-e', '0'));
}
console.log(
  `--version: median ${median(programMs).toFixed(0)} ms of ${starts}; Node.js alone ${median(emptyMs).toFixed(0)} ms`,
);

const network = await HomeNetwork.build({ id: 'size' });
try {
  network.startEndpoint();
  network.startHome();
  await network.await('shaping');
  // What starting needed is given back, or not, within the first minute.
  await new Promise((later) => setTimeout(later, 60_000));
  for (const [role, { pid }] of network.services) {
    console.log(`${role} in memory: ${(residentBytes(pid!) / 2 ** 20).toFixed(1)} MiB`);
  }
} finally {
  await network.close();
}
process.exit(0);
