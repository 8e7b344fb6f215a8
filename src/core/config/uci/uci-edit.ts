// Changes a UCI package as a person types it: `rate=40`, `@network[0].device=eth1`, `house+=br-guest`.
import { nearestName } from '../options/nearest-name.ts';
import type { OptionSpec, SectionSpec } from '../options/option-table.ts';
import type { UciPackage, UciSection } from './uci.ts';
import { isUciName } from './uci-names.ts';
import { nameSections, renderUciFile } from './uci-writer.ts';

/** What a person typed can't be done; the message says what to type. */
export class EditError extends Error {
  override name = 'EditError';
}

export interface Change {
  /** `rate`, `main.rate`, `iotshaper.main.rate`, `@device[-1].name`. */
  place: string;
  /** `add` and `remove` are for one value of a list. */
  how: 'set' | 'add' | 'remove';
  /** '' takes the option away. */
  value: string;
}

/** @throws {EditError} */
export function parseChange(text: string): Change {
  const [, place, sign = '', value] = /^([^=+]*[^=+-])([+-]?)=(.*)$/s.exec(text) ?? [];
  if (place === undefined || value === undefined) {
    throw new EditError(`"${text}": write OPTION=VALUE, such as rate=40`);
  }
  return { place, how: sign === '' ? 'set' : sign === '+' ? 'add' : 'remove', value };
}

/** A package that is being changed. */
export class UciEdit {
  readonly #package: UciPackage;
  readonly #specs: readonly SectionSpec[];

  /** @param specs the sections there may be. */
  constructor(pkg: UciPackage, specs: readonly SectionSpec[]) {
    this.#package = pkg;
    this.#specs = specs;
  }

  /** Changes one option. @throws {EditError} */
  apply({ place, how, value }: Change): void {
    const { section, spec, option } = this.#find(place, true);
    if (!option) throw new EditError(`"${place}" is a section; name one of its options too`);
    this.#change(section!, spec, option, how, value);
    // Typed with "uci set iotshaper.rate=40", a section of this name would stand above.
    if (spec.name === 'main') {
      const { sections } = this.#package;
      this.#package.sections = sections.filter((one) => one.anonymous || one.name !== option.name);
    }
  }

  /** Adds a section; returns its name, such as `@network[0]`. @throws {EditError} */
  add(type: string, changes: readonly Change[]): string {
    const spec = this.#specs.find((one) => one.type === type && one.name === null);
    if (!spec) {
      const types = this.#specs.filter(({ name }) => name === null).map((one) => one.type);
      throw new EditError(`"${type}": what can be added is ${types.join(', ')}`);
    }
    const section = newSection(type, null);
    for (const { place, how, value } of changes) {
      this.#change(section, spec, optionOf(spec, place), how, value);
    }
    this.#package.sections.push(section);
    return nameSections(this.#package).get(section)!;
  }

  /** Takes away an option, or a whole section. @throws {EditError} */
  delete(place: string): void {
    const { section, option } = this.#find(place, false);
    if (!section) throw new EditError(`"${place}": is not there; "iotshaper show" lists what is`);
    if (option) section.options.delete(option.name);
    else this.#package.sections = this.#package.sections.filter((one) => one !== section);
  }

  /** What holds at a place, its default where nothing stands there; null for nothing. @throws {EditError} */
  get(place: string): string | null {
    const { section, option } = this.#find(place, false);
    if (!option) throw new EditError(`"${place}" is a section; "iotshaper show ${place}" shows it`);
    const value = section?.options.get(option.name) ?? option.default;
    return value === '' ? null : textOf(value);
  }

  /** What stands there, a line for each option, as `set` takes it. @param within one section alone @throws {EditError} */
  show(within: string | null): string[] {
    const only = within === null ? null : this.#find(within, false).section;
    const lines: string[] = [];
    for (const [section, name] of nameSections(this.#package)) {
      if (within !== null && section !== only) continue;
      for (const [option, value] of section.options) {
        lines.push(`${name}.${option}=${quoted(textOf(value))}`);
      }
    }
    return lines;
  }

  /** As it goes into the file. */
  render(): Uint8Array {
    return renderUciFile(this.#package);
  }

  #change(
    { options }: UciSection,
    spec: SectionSpec,
    option: OptionSpec,
    how: Change['how'],
    value: string,
  ): void {
    const { name, list } = option;
    if (!list && how !== 'set') {
      throw new EditError(`${spec.type}'s option "${name}" has one value: write ${name}=${value}`);
    }
    const before = [options.get(name) ?? []].flat();
    const given = list ? value.split(/[\s,]+/).filter((word) => word !== '') : [value];
    const after =
      how === 'set'
        ? given
        : how === 'add'
          ? [...before.filter((one) => !given.includes(one)), ...given]
          : before.filter((one) => !given.includes(one));
    const isEmpty = after.every((one) => one === '');
    if (isEmpty) options.delete(name);
    else options.set(name, list ? after : after[0]!);
  }

  /** @param makes whether a section of which there is one is made where it is missing. */
  #find(
    place: string,
    makes: boolean,
  ): { section: UciSection | null; spec: SectionSpec; option: OptionSpec | null } {
    const bare = place.replace(/^iotshaper\./, '');
    const [, name = bare, word] = /^(.+)\.([^.]*)$/.exec(bare) ?? [];
    if (word === undefined) {
      const owner = this.#specs.find(
        (one) => one.name !== null && one.options.some((option) => option.name === name),
      );
      if (owner) return { ...this.#only(owner, makes), option: optionOf(owner, name) };
    }
    const found = this.#section(name, makes);
    if (!found) {
      throw new EditError(
        word === undefined && !name.startsWith('@')
          ? this.#unknown(name)
          : `"${name}": there is no such section; "iotshaper show" lists those there are`,
      );
    }
    return { ...found, option: word === undefined ? null : optionOf(found.spec, word) };
  }

  #section(name: string, makes: boolean): { section: UciSection | null; spec: SectionSpec } | null {
    const spec = this.#specs.find((one) => one.name === name);
    if (spec) return this.#only(spec, makes);
    const [, type, number] = /^@(\S+)\[(-?\d+)\]$/.exec(name) ?? [];
    const section =
      type === undefined
        ? this.#package.sections.find((one) => !one.anonymous && one.name === name)
        : this.#package.sections.filter((one) => one.type === type).at(Number(number));
    const known = section && this.#specs.find((one) => one.type === section.type);
    return section && known ? { section, spec: known } : null;
  }

  #only(spec: SectionSpec, makes: boolean): { section: UciSection | null; spec: SectionSpec } {
    const { sections } = this.#package;
    const section = sections.find((one) => one.name === spec.name);
    if (section || !makes) return { section: section ?? null, spec };
    const made = newSection(spec.type, spec.name);
    sections.push(made);
    return { section: made, spec };
  }

  #unknown(name: string): string {
    const names = this.#specs
      .filter((spec) => spec.name !== null)
      .flatMap(({ options }) => options.map((option) => option.name));
    const meant = nearestName(name, names);
    return `"${name}": there is no such option${meant ? `; did you mean "${meant}"?` : '; "iotshaper show" lists what is set, docs/configuration.md all there are'}`;
  }
}

function newSection(type: string, name: string | null): UciSection {
  return { type, name: name ?? '', anonymous: name === null, options: new Map() };
}

function optionOf({ type, options }: SectionSpec, name: string): OptionSpec {
  const option = options.find((one) => one.name === name);
  if (option) return option;
  const names = options.map((one) => one.name);
  const meant = isUciName(name) ? nearestName(name, names) : null;
  throw new EditError(
    `"${name}": a section of type ${type} has no such option; ${meant ? `did you mean "${meant}"?` : `it has ${names.join(', ')}`}`,
  );
}

function textOf(value: string | readonly string[]): string {
  return typeof value === 'string' ? value : value.join(' ');
}

/** As a shell takes it. */
function quoted(text: string): string {
  return /^[\w@%+:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
