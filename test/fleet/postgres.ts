// A PostgreSQL of one's own, as Debian has it: in a temporary folder, on a Unix socket, run by somebody without rights.
import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where Debian has the newest one's programs. */
function programs(): string {
  const root = '/usr/lib/postgresql';
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return join(root, versions[0]!, 'bin');
}

/** PostgreSQL refuses to be root's. */
const isRoot = process.getuid?.() === 0;

function idOf(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}

export class Postgres {
  readonly #folder = mkdtempSync(join(tmpdir(), 'iotshaper-pg-'));
  readonly #bin = programs();
  #databases = 0;

  constructor() {
    if (isRoot) chownSync(this.#folder, idOf('-u'), idOf('-g'));
    this.#run('initdb', [
      '-D',
      this.#data,
      '-A',
      'trust',
      '-U',
      'postgres',
      '--no-sync',
      '-E',
      'UTF8',
      '--locale=C',
    ]);
    this.start();
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  start(): void {
    const settings = [
      ...["listen_addresses=''", `unix_socket_directories='${this.#folder}'`],
      ...['fsync=off', 'full_page_writes=off', 'shared_buffers=16MB'],
    ];
    const options = settings.map((one) => `-c ${one}`).join(' ');
    this.#run('pg_ctl', [
      'start',
      '-w',
      '-D',
      this.#data,
      '-l',
      join(this.#folder, 'log'),
      '-o',
      options,
    ]);
  }

  /** As a machine that loses its power. */
  kill(): void {
    this.#run('pg_ctl', ['stop', '-w', '-D', this.#data, '-m', 'immediate']);
  }

  /** The address of a database that has nothing in it. */
  createDatabase(): string {
    const name = `fleet${++this.#databases}`;
    this.#run('createdb', ['-h', this.#folder, '-U', 'postgres', name]);
    return this.urlOf(name);
  }

  urlOf(name: string): string {
    return `postgresql://postgres:not-asked-for@localhost/${name}?host=${encodeURIComponent(this.#folder)}`;
  }

  remove(): void {
    try {
      this.kill();
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  #run(name: string, argv: readonly string[]): void {
    const command = [join(this.#bin, name), ...argv];
    const [program, ...rest] = isRoot
      ? ['setpriv', `--reuid=${idOf('-u')}`, `--regid=${idOf('-g')}`, '--clear-groups', ...command]
      : command;
    // What it starts would keep a pipe open.
    const ended: SpawnSyncReturns<Buffer> = spawnSync(program!, rest, {
      cwd: this.#folder,
      stdio: 'ignore',
    });
    if (ended.status !== 0) throw new Error(`${name} ended with ${ended.status}`);
  }
}
