// What is wrong and what is odd, collected while the parts of a configuration are read.
import { type Notice, notice } from '../notices/notice.ts';
import type { ConfigProblem } from './config-error.ts';
import { nearestName } from './options/nearest-name.ts';
import {
  type OptionSpec,
  type SectionSpec,
  typeValues,
  type Values,
} from './options/option-table.ts';
import { readSection } from './section-values.ts';
import type { UciSection } from './uci/uci.ts';

/** Name of the UCI package: the file in /etc/config, and what paths in messages begin with. */
export const packageName = 'iotshaper';

/** A section as found in the file. */
export interface Found {
  section: UciSection;
  /** As `uci show` names it, without the package: `main`, `@device[0]`. */
  name: string;
  /** With the package, for messages. */
  path: string;
}

/** Errors refuse the configuration, warnings do not. Messages begin with the path they are about. */
export class Reading {
  readonly errors: ConfigProblem[] = [];
  readonly warnings: Notice[] = [];

  /** Values of a section by its table; `found` is null where there is none. Not to be used when there are errors. */
  read<S extends SectionSpec>(spec: S, found: Found | null, path: string): Values<S> {
    const given = found?.section.options ?? new Map<string, string>();
    if (found !== null) this.warnOfUnknown(found, spec.options);
    const { values, problems } = readSection(spec, given, path);
    this.errors.push(...problems);
    return typeValues(spec, values);
  }

  warnOfUnknown({ section, path }: Found, known: readonly OptionSpec[]): void {
    const names = known.map(({ name }) => name);
    for (const name of section.options.keys()) {
      if (names.includes(name)) continue;
      const meant = nearestName(name, names);
      const option = `${path}.${name}`;
      this.warnings.push(
        meant === null
          ? notice('option-unknown', { path: option })
          : notice('option-unknown-meant', { path: option, meant }),
      );
    }
  }
}
