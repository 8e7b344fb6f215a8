// Turns the text of /etc/config/iotshaper into a checked, typed configuration.
import { listOf } from '../notices/list.ts';
import { type Notice, notice } from '../notices/notice.ts';
import { topRateKBps } from '../pacing/top-rate.ts';
import { shapeOf } from '../stream/stream.ts';
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
    const { type: wanted } = owner;
    reading.errors.push(
      problem(path, type, (at) => notice('section-of-other-type', { ...at, type: wanted })),
    );
    return null;
  }
  if (spec !== undefined && spec.name !== null && spec.name !== name) {
    const { name: wanted } = spec;
    reading.errors.push(
      problem(path, name, (at) => notice('section-of-other-name', { ...at, name: wanted, type })),
    );
    return null;
  }
  if (spec !== undefined) return spec;
  const types = sections.map((one) => one.type);
  const meant = nearestName(type, types);
  const meantOption = name === null ? null : nearestName(name, mainOptionNames);
  if (meant !== null) {
    // A device section nobody reads would be a device nobody hides.
    const known = { types: types.join(', '), meant };
    reading.errors.push(
      problem(path, type, (at) => notice('section-type-mistyped', { ...at, ...known })),
    );
  } else if (meantOption !== null) {
    const command = `uci set ${packageName}.main.${meantOption}=${type}`;
    reading.warnings.push(notice('section-does-nothing', { path, command }));
  } else reading.warnings.push(notice('section-type-unknown', { path, value: quoteValue(type) }));
  return null;
}

/** A rate, KB/s, by the path of what asks for it. */
type Asked = Map<string, number>;

function readMain(
  found: Found | null,
  typed: readonly Found[],
  asked: Asked,
  reading: Reading,
): MainConfig {
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
    const options = listOf(perDirection.map((name) => `${path}.${name}`));
    const section = `${packageName}.rate`;
    reading.warnings.push(notice('rate-section-overrides', { path: section, options }));
  }
  if (rateTyped !== undefined) asked.set(`${packageName}.rate`, rateTyped);
  else {
    // Of the download the endpoint says what it holds.
    if (uploadKBps !== null) asked.set(`${path}.upload_rate`, uploadKBps);
    else asked.set(`${path}.rate`, rateKBps);
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
    const names = listOf(takenNetdevs, 'list-or');
    reading.errors.push(
      problem(`${path}.interface`, tunnel.interface, (at) =>
        notice('netdev-names-taken', { ...at, names }),
      ),
    );
  }
  return tunnel;
}

/** The house is never where devices' packets enter the service or leave it. */
function refuseOwnNetdevs({ house }: MainConfig, tunnel: TunnelConfig, reading: Reading): void {
  const path = `${packageName}.main.house`;
  for (const name of house) {
    const isTunnel = name === tunnel.interface;
    if (!isTunnel && !takenNetdevs.includes(name)) continue;
    reading.errors.push(
      problem(path, name, (at) =>
        isTunnel
          ? notice('same-as-other', { ...at, other: `${packageName}.tunnel.interface` })
          : notice('netdev-name-taken', { ...at, name }),
      ),
    );
  }
}

function readSchedules(found: readonly Found[], asked: Asked, reading: Reading): ScheduleConfig[] {
  return found.map((one) => {
    const values = reading.read(scheduleSection, one, one.path);
    asked.set(`${one.path}.rate`, values.rateKBps);
    return { section: one.name, ...values, days: [...new Set(values.days)] };
  });
}

/** Intervals that this machine's timers would blur are promised to nobody. */
function refuseUnheld(main: MainConfig, asked: Asked, lateMs: number, reading: Reading): void {
  const most = topRateKBps(shapeOf({ main }, 0), lateMs);
  const { mode } = main;
  for (const [path, kBps] of asked)
    if (kBps > most)
      reading.errors.push(
        problem(path, `${kBps}`, (at) => notice('rate-unheld', { ...at, most, mode })),
      );
}

/** `23:00–06:00`, as a person knows a schedule. */
function hoursText({ startMinute, endMinute }: Config['schedules'][number]): string {
  const text = (minutes: number) =>
    [Math.floor(minutes / 60), minutes % 60].map((part) => `${part}`.padStart(2, '0')).join(':');
  return `${text(startMinute)}–${text(endMinute)}`;
}

/** What a sound configuration holds that its author may not have meant. */
function warnOfOddities({ main, networks, devices, schedules }: Config, reading: Reading): void {
  for (const [first, second] of findOverlaps(schedules)) {
    const path = `${packageName}.${second.section}`;
    const [earlier, later] = [first, second].map(hoursText) as [string, string];
    reading.warnings.push(notice('schedules-overlap', { path, earlier, later }));
  }
  const shaped = networks.length > 0 || devices.some(({ policy }) => policy === 'shape');
  if (main.enabled && !shaped)
    reading.warnings.push(notice('nobody-shaped', { path: packageName }));
}

function wholeFileError(said: Notice): ConfigError {
  return new ConfigError([{ ...said, path: packageName, value: '' }]);
}

/** The typed configuration of a parsed package. See `parseConfig`. */
export function readConfig(
  pkg: UciPackage,
  lateMs: number | null = null,
): { config: Config; warnings: Notice[] } {
  const path = packageName;
  const count = pkg.sections.length;
  if (count > mostSections)
    throw wholeFileError(notice('sections-too-many', { path, most: mostSections, count }));
  const schedules = pkg.sections.filter(({ type }) => type === scheduleSection.type).length;
  if (schedules > mostSchedules)
    throw wholeFileError(
      notice('schedules-too-many', { path, most: mostSchedules, count: schedules }),
    );
  const reading = new Reading();
  const sorted = sortSections(pkg, reading);
  const all = (spec: SectionSpec) => sorted.get(spec) ?? [];
  const only = (spec: SectionSpec) => all(spec)[0] ?? null;
  const tunnel = readTunnel(only(tunnelSection), reading);
  const asked: Asked = new Map();
  const config: Config = {
    main: readMain(only(mainSection), sorted.get('typed') ?? [], asked, reading),
    tunnel,
    networks: readNetworks(all(networkSection), tunnel, reading),
    devices: readDevices(all(deviceSection), reading),
    schedules: readSchedules(all(scheduleSection), asked, reading),
  };
  refuseOwnNetdevs(config.main, tunnel, reading);
  // Values are sound only where there are no errors.
  if (lateMs !== null && reading.errors.length === 0)
    refuseUnheld(config.main, asked, lateMs, reading);
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
 * @param lateMs how late timers of the machine are that is to hold its rates; null where that is not asked.
 * @throws ConfigError with everything that is wrong, whatever the bytes
 */
export function parseConfig(
  text: string | Uint8Array,
  lateMs: number | null = null,
): { config: Config; warnings: Notice[] } {
  const path = packageName;
  if (text.length > largestBytes) {
    const sizes = { most: largestBytes, count: text.length };
    throw wholeFileError(notice('configuration-too-large', { path, ...sizes }));
  }
  let pkg: UciPackage;
  try {
    pkg = parseUci(text, packageName);
  } catch (error) {
    if (!(error instanceof UciError)) throw error;
    const said = error.message.replace(/^uci: /, '');
    throw wholeFileError(notice('configuration-unparsed', { path, error: said }));
  }
  return readConfig(pkg, lateMs);
}
