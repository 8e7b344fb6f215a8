// The page's settings: the configuration read for it, and written whole, as `iotshaper set` writes it.
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { ConfigError } from '../../core/config/config-error.ts';
import type { Config } from '../../core/config/types.ts';
import type { UciPackage } from '../../core/config/uci/uci.ts';
import type { ConfigVerdict } from '../../core/home/answers.ts';
import type { ConfigStatus } from '../../core/home/api.ts';
import { readSections, renderSections } from '../../core/web/settings.ts';
import { withFolderLock } from '../endpoint/state/folder-lock.ts';
import type { System } from '../system/system.ts';
import type { Table } from '../ubus/values.ts';

/** What knows configurations, which the service has loaded already. */
export interface ConfigParts {
  parseConfig(bytes: Uint8Array): { config: Config };
  parseUci(bytes: Uint8Array, name: string): UciPackage;
  renderUciFile(pkg: UciPackage): Uint8Array;
  renderConfigStatus(verdict: ConfigVerdict): ConfigStatus;
}

export interface SettingsOptions {
  system: Pick<System, 'files' | 'processes'>;
  configPath: string;
  parts: ConfigParts;
  reload(): Promise<void>;
}

/** What becomes of settings: with `conflict`, somebody else has changed them since they were read. */
export type Applied = { ok: true; errors: [] } | { ok: false; conflict: boolean; errors: object[] };

export class WebSettings {
  readonly #options: SettingsOptions;

  constructor(options: SettingsOptions) {
    this.#options = options;
  }

  async get(): Promise<object> {
    const bytes = await this.#read();
    const { parts } = this.#options;
    return {
      values: renderSections(parts.parseUci(bytes, 'iotshaper')),
      revision: revisionOf(bytes),
    };
  }

  /** Writes the sections and puts them in force, unless that would be wrong. */
  async apply({ revision, sections: sent }: Table): Promise<Applied | null> {
    const sections = readSections(sent);
    if (!sections) return null;
    const { system, configPath, parts, reload } = this.#options;
    const refused = await withFolderLock(system, dirname(configPath), async () => {
      if (revisionOf(await this.#read()) !== revision) {
        return { ok: false as const, conflict: true, errors: [] };
      }
      const bytes = parts.renderUciFile({ name: 'iotshaper', sections });
      try {
        parts.parseConfig(bytes); // says what is wrong
      } catch (error) {
        // By its name: what threw it is in another bundle.
        if ((error as Error).name !== 'ConfigError') throw error;
        const { errors, warnings } = error as ConfigError;
        const status = parts.renderConfigStatus({ ok: false, errors, warnings });
        return { ok: false as const, conflict: false, errors: status.errors };
      }
      await system.files.replace(configPath, bytes);
      return null;
    });
    if (refused) return refused;
    await reload();
    return { ok: true, errors: [] };
  }

  #read(): Promise<Uint8Array> {
    return this.#options.system.files.readBytes(this.#options.configPath);
  }
}

function revisionOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}
