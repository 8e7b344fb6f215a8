// What rpcd's `uci` object does, over one real configuration file: staging for each session,
// changes, apply with rollback.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseUci, type UciPackage, type UciSection } from '../../../src/core/config/uci/uci.ts';
import { renderUciFile } from '../../../src/core/config/uci/uci-writer.ts';
import { renderSections } from '../../../src/core/web/settings.ts';

/** Statuses of ubus that rpcd answers with. */
export const status = { ok: 0, invalidArgument: 2, notFound: 4, noData: 5, denied: 6 } as const;

export class UciFault extends Error {
  override name = 'UciFault';
  readonly code: number;

  constructor(code: number) {
    super(`ubus status ${code}`);
    this.code = code;
  }
}

export type Values = Record<string, string | number | boolean | (string | number)[]>;
type Change = string[];

interface Operation {
  config: string;
  apply(pkg: UciPackage): Change[];
}

/** As rpcd writes numbers and booleans into UCI. */
function textOf(value: Values[string]): string | string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'boolean' ? String(Number(value)) : String(value);
}

function setOption(section: UciSection, option: string, value: Values[string]): Change[] {
  const text = textOf(value);
  section.options.delete(option);
  if (text.length > 0) section.options.set(option, text);
  if (typeof text === 'string') return [['set', section.name, option, text]];
  return text.map((item) => ['list-add', section.name, option, item]);
}

function sectionOf(pkg: UciPackage, name: string): UciSection {
  const section = pkg.sections.find((one) => one.name === name);
  if (!section) throw new UciFault(status.notFound);
  return section;
}

export class UciSessions {
  readonly #directory: string;
  /** What every change is answered with meanwhile, as by a router that is full or broken. */
  refusal: number | null = null;
  readonly #staged = new Map<string, Operation[]>();
  #made = 0;
  #backup: { config: string; text: Buffer }[] | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  pathOf(config: string): string {
    return join(this.#directory, config);
  }

  #read(config: string): UciPackage {
    let text: Buffer;
    try {
      text = readFileSync(this.pathOf(config));
    } catch {
      throw new UciFault(status.notFound);
    }
    return parseUci(text, config);
  }

  #stagedOf(session: string): Operation[] {
    const staged = this.#staged.get(session) ?? [];
    this.#staged.set(session, staged);
    return staged;
  }

  /** The file with the session's changes over it, and these changes as `uci changes` lists them. */
  #replay(session: string, config: string): { pkg: UciPackage; changes: Change[] } {
    const pkg = this.#read(config);
    const changes = this.#stagedOf(session)
      .filter((operation) => operation.config === config)
      .flatMap((operation) => operation.apply(pkg));
    return { pkg, changes };
  }

  #stage(session: string, operation: Operation): void {
    if (this.refusal !== null) throw new UciFault(this.refusal);
    const { pkg } = this.#replay(session, operation.config);
    operation.apply(pkg);
    this.#stagedOf(session).push(operation);
  }

  get(session: string, config: string): object {
    const { pkg } = this.#replay(session, config);
    return { values: renderSections(pkg) };
  }

  add(session: string, config: string, type: string, name: string | null, values: Values): object {
    // libuci names an anonymous section by a counter and a hash; any name that is new will do here.
    const made = name ?? `cfg${String(++this.#made).padStart(2, '0')}new`;
    this.#stage(session, {
      config,
      apply(pkg) {
        const section = { type, name: made, anonymous: name === null, options: new Map() };
        pkg.sections.push(section);
        const first = name === null ? ['add', made, type] : ['set', made, type];
        const rest = Object.entries(values).flatMap(([option, value]) =>
          setOption(section, option, value),
        );
        return [first, ...rest];
      },
    });
    return { section: made };
  }

  set(session: string, config: string, name: string, values: Values): void {
    this.#stage(session, {
      config,
      apply: (pkg) =>
        Object.entries(values).flatMap(([option, value]) =>
          setOption(sectionOf(pkg, name), option, value),
        ),
    });
  }

  delete(session: string, config: string, name: string, options: string[] | null): void {
    this.#stage(session, {
      config,
      apply(pkg) {
        const section = sectionOf(pkg, name);
        if (options === null) {
          pkg.sections = pkg.sections.filter((one) => one !== section);
          return [['remove', name]];
        }
        for (const option of options) section.options.delete(option);
        return options.map((option) => ['remove', name, option]);
      },
    });
  }

  changes(session: string): Record<string, Change[]> {
    const configs = [...new Set(this.#stagedOf(session).map(({ config }) => config))];
    const all = configs.map((config) => [config, this.#replay(session, config).changes]);
    return Object.fromEntries(all.filter(([, changes]) => changes?.length));
  }

  revert(session: string): void {
    this.#staged.delete(session);
  }

  /** Writes what is staged; returns the files written. Unless confirmed, `rollback` undoes it. */
  apply(session: string): string[] {
    const configs = Object.keys(this.changes(session));
    if (configs.length === 0) throw new UciFault(status.noData);
    this.#backup = configs.map((config) => ({ config, text: readFileSync(this.pathOf(config)) }));
    for (const config of configs) {
      const { pkg } = this.#replay(session, config);
      writeFileSync(this.pathOf(config), renderUciFile(pkg));
    }
    this.#staged.delete(session);
    return configs;
  }

  confirm(): void {
    if (!this.#backup) throw new UciFault(status.noData);
    this.#backup = null;
  }

  rollback(): void {
    for (const { config, text } of this.#backup ?? []) writeFileSync(this.pathOf(config), text);
    this.#backup = null;
  }
}
