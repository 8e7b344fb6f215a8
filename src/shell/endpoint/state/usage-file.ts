// Data a month, on disk: written now and then by the service alone.
import { join } from 'node:path';
import { NO_USAGE, readUsage, type Usage } from '../../../core/endpoint/admission/usage.ts';
import { parseJson } from '../../../core/endpoint/keeping.ts';
import { noticeOfError } from '../../../core/notices/notice-error.ts';
import { wordsOf } from '../../../core/notices/words.ts';
import type { Log } from '../../system/log.ts';
import type { System } from '../../system/system.ts';

/** One a service. */
export class UsageFile {
  readonly #system: Pick<System, 'files'>;
  readonly #path: string;
  readonly #log: Log;
  #written: Promise<void> = Promise.resolve();
  /** What could not be written last, so that it is told once. */
  #fault = '';

  constructor(system: Pick<System, 'files'>, dir: string, log: Log) {
    this.#system = system;
    this.#path = join(dir, 'usage.json');
    this.#log = log;
  }

  /** What can't be read was never counted. */
  async read(): Promise<Usage> {
    const text = await this.#system.files.readText(this.#path).catch(() => '{}');
    return readUsage(parseJson(text)) ?? NO_USAGE;
  }

  /** Writes one after the other; see {@link UsageFile.settled}. */
  keep(usage: Usage): void {
    this.#written = this.#written.then(() => this.#write(usage));
  }

  settled(): Promise<void> {
    return this.#written;
  }

  async #write(usage: Usage): Promise<void> {
    try {
      await this.#system.files.replace(this.#path, `${JSON.stringify(usage)}\n`);
      this.#fault = '';
    } catch (error) {
      const said = wordsOf(noticeOfError(error));
      if (said !== this.#fault) this.#log('warning', said);
      this.#fault = said;
    }
  }
}

/** What other endpoints have counted, as a fleet's registry told last, in a file beside the homes. */
export async function readElsewhere({ files }: Pick<System, 'files'>, dir: string): Promise<Usage> {
  const text = await files.readText(elsewherePathOf(dir)).catch(() => '{}');
  return readUsage(parseJson(text)) ?? NO_USAGE;
}

export async function writeElsewhere(
  { files }: Pick<System, 'files'>,
  dir: string,
  usage: Usage,
): Promise<void> {
  await files.replace(elsewherePathOf(dir), `${JSON.stringify(usage)}\n`);
}

function elsewherePathOf(dir: string): string {
  return join(dir, 'usage-elsewhere.json');
}
