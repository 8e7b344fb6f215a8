// Turns the text of /etc/config/iotshaper into a checked, typed configuration.
import { ConfigError, problem, quoteValue } from './config-error.ts';
import { type Found, packageName, Reading } from './config-reading.ts';
import { readDevices } from './device-sections.ts';
import { readNetworks, takenNetdevs } from './network-sections.ts';
import { nearestName } from './options/nearest-name.ts';
import type { SectionSpec } from './options/option-table.ts';
import {
  deviceSection,
  mainSection,
  networkSection,
  scheduleSection,
  sections,
  tunnelSection,
  typedOptions,
} from './options/options.ts';
import { ratesOf } from './rates.ts';
import { findOverlaps } from './schedule.ts';
import { readSection } from './section-values.ts';
import type { Config, MainConfig, ScheduleConfig, TunnelConfig } from './types.ts';
import { parseUci, UciError, type UciPackage } from './uci/uci.ts';
import { nameSections } from './uci/uci-writer.ts';

/** Far above any real configuration, far below what makes a router slow. */
const largestBytes = 2 ** 18;
const mostSections = 1000;
/** Each pair that overlaps is worth a warning. */
const mostSchedules = 100;
const mainOptionNames = mainSection.options.map(({ name }) => name);
/** Sections by the table they belong to; what belongs to none is reported. */
function sortSections(pkg: UciPackage, reading: Reading): Map<SectionSpec | 'typed', Found[]> {
  const sorted = new Map<SectionSpec | 'typed', Found[]>();
  for (const [section, name] of nameSections(pkg)) {
    const found: Found = { section, name, path: `${packageName}.${name}` };
    const spec = specOf(found, reading);
    if (spec === null) continue;
    const alike = sorted.get(spec);
    if (alike === undefined) sorted.set(spec, [found]);
    else alike.push(found);
  }
  return sorted;
}

function specOf({ section, path }: Found, reading: Reading): SectionSpec | 'typed' | null {
  const { type, anonymous } = section;
  const name = anonymous ? null : section.name;
  if (typedOptions.some((option) => option.name === name)) return 'typed';
  const owner = sections.find((spec) => spec.name !== null && spec.name === name);
  const spec = sections.find((one) => one.type === type);
  if (owner !== undefined && owner !== spec) {
    reading.errors.push(problem(path, `must be a section of type ${owner.type}`, type));
    return null;
  }
  if (spec !== undefined && spec.name !== null && spec.name !== name) {
    const rule = `must be named '${spec.name}', as in "config ${type} '${spec.name}'"`;
    reading.errors.push(problem(path, rule, name));
    return null;
  }
  if (spec !== undefined) return spec;
  const types = sections.map((one) => one.type);
  const meant = nearestName(type, types);
  const meantOption = name === null ? null : nearestName(name, mainOptionNames);
  if (meant !== null) {
    // A device section nobody reads would be a device nobody hides.
    const rule = `must be of a known type (${types.join(', ')}; did you mean "${meant}"?)`;
    reading.errors.push(problem(path, rule, type));
  } else if (meantOption !== null) {
    const command = `uci set ${packageName}.main.${meantOption}=${type}`;
    reading.warnings.push(`${path}: a section of this name does nothing; did you mean: ${command}`);
  } else reading.warnings.push(`${path}: unknown section type ${quoteValue(type)}, ignored`);
  return null;
}

function readMain(found: Found | null, typed: readonly Found[], reading: Reading): MainConfig {
  const path = `${packageName}.main`;
  const { rateKBps, uploadKBps, downloadKBps, ...values } = reading.read(mainSection, found, path);
  for (const one of typed) reading.warnOfUnknown(one, []);
  const typedTexts = typed.map(({ section }) => [section.name, section.type] as const);
  const over = readSection({ options: typedOptions }, new Map(typedTexts), packageName);
  reading.errors.push(...over.problems);

  const rateTyped = over.values.rate as number | undefined;
  const perDirection = Object.entries({ upload_rate: uploadKBps, download_rate: downloadKBps })
    .filter(([, kBps]) => kBps !== null)
    .map(([name]) => name);
  if (rateTyped !== undefined && perDirection.length > 0) {
    const overridden = perDirection.map((name) => `${path}.${name}`).join(' and ');
    reading.warnings.push(`${packageName}.rate: the section named rate overrides ${overridden}`);
  }
  return {
    ...values,
    enabled: (over.values.enabled as boolean | undefined) ?? values.enabled,
    rate: {
      ...(rateTyped === undefined
        ? ratesOf({ rateKBps, uploadKBps, downloadKBps })
        : { uploadKBps: rateTyped, downloadKBps: rateTyped }),
      source: rateTyped === undefined ? 'main.rate' : 'section rate',
    },
    house: [...new Set(values.house)],
  };
}

function readTunnel(found: Found | null, reading: Reading): TunnelConfig {
  const path = `${packageName}.tunnel`;
  const tunnel = reading.read(tunnelSection, found, path);
  if (takenNetdevs.includes(tunnel.interface)) {
    const rule = `must not be ${takenNetdevs.join(' or ')}, which are taken`;
    reading.errors.push(problem(`${path}.interface`, rule, tunnel.interface));
  }
  return tunnel;
}

/** The house is never where devices' packets enter the service or leave it. */
function refuseOwnNetdevs({ house }: MainConfig, tunnel: TunnelConfig, reading: Reading): void {
  const path = `${packageName}.main.house`;
  for (const name of house) {
    const owner =
      name === tunnel.interface ? `${packageName}.tunnel.interface` : `${name}, which is taken`;
    if (name === tunnel.interface || takenNetdevs.includes(name))
      reading.errors.push(problem(path, `must differ from ${owner}`, name));
  }
}

function readSchedules(found: readonly Found[], reading: Reading): ScheduleConfig[] {
  return found.map((one) => {
    const values = reading.read(scheduleSection, one, one.path);
    return { section: one.name, ...values, days: [...new Set(values.days)] };
  });
}

/** What a sound configuration holds that its author may not have meant. */
function warnOfOddities({ main, networks, devices, schedules }: Config, reading: Reading): void {
  for (const [first, second] of findOverlaps(schedules)) {
    const names = [first, second].map(({ section }) => `${packageName}.${section}`);
    reading.warnings.push(
      `${names[1]}: overlaps ${names[0]}; where both apply ${names[1]} counts, the later one in the file`,
    );
  }
  const shaped = networks.length > 0 || devices.some(({ policy }) => policy === 'shape');
  if (main.enabled && !shaped)
    reading.warnings.push(
      `${packageName}: enabled, but no section of type device or network says whose traffic to shape`,
    );
}

function wholeFileError(text: string): ConfigError {
  return new ConfigError([{ path: packageName, value: '', message: `${packageName}: ${text}` }]);
}

/** The typed configuration of a parsed package. See `parseConfig`. */
export function readConfig(pkg: UciPackage): { config: Config; warnings: string[] } {
  if (pkg.sections.length > mostSections)
    throw wholeFileError(`must hold at most ${mostSections} sections, got ${pkg.sections.length}`);
  const schedules = pkg.sections.filter(({ type }) => type === scheduleSection.type).length;
  if (schedules > mostSchedules)
    throw wholeFileError(`must hold at most ${mostSchedules} schedules, got ${schedules}`);
  const reading = new Reading();
  const sorted = sortSections(pkg, reading);
  const all = (spec: SectionSpec) => sorted.get(spec) ?? [];
  const only = (spec: SectionSpec) => all(spec)[0] ?? null;
  const tunnel = readTunnel(only(tunnelSection), reading);
  const config: Config = {
    main: readMain(only(mainSection), sorted.get('typed') ?? [], reading),
    tunnel,
    networks: readNetworks(all(networkSection), tunnel, reading),
    devices: readDevices(all(deviceSection), reading),
    schedules: readSchedules(all(scheduleSection), reading),
  };
  refuseOwnNetdevs(config.main, tunnel, reading);
  if (reading.errors.length > 0) throw new ConfigError(reading.errors, reading.warnings);
  warnOfOddities(config, reading);
  return { config, warnings: reading.warnings };
}

/**
 * Parses /etc/config/iotshaper: UCI, defaults of the option table, checks of each value and of
 * values against each other.
 *
 * The section named `rate` that `uci set iotshaper.rate=40` leaves was typed last by somebody who
 * wants that rate now: it stands above `main.rate`, `main.upload_rate` and `main.download_rate`.
 *
 * @throws ConfigError with everything that is wrong, whatever the bytes
 */
export function parseConfig(text: string | Uint8Array): { config: Config; warnings: string[] } {
  if (text.length > largestBytes)
    throw wholeFileError(`must be a file of at most ${largestBytes} bytes, got ${text.length}`);
  let pkg: UciPackage;
  try {
    pkg = parseUci(text, packageName);
  } catch (error) {
    if (!(error instanceof UciError)) throw error;
    throw wholeFileError(error.message.replace(/^uci: /, ''));
  }
  return readConfig(pkg);
}
