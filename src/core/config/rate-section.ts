// Folds the sections that `uci set iotshaper.rate=40` leaves into the options they stand for.
import { mainSection, typedOptions } from './options/options.ts';
import type { UciPackage } from './uci/uci.ts';

/**
 * The package with sections named `rate` and `enabled` folded into `main` (made if missing).
 * What is in force stays the same: a typed rate stood above `upload_rate` and `download_rate`
 * too, so these go with it. The package given is not changed.
 */
export function foldRateSection(pkg: UciPackage): UciPackage {
  const isTyped = (name: string) => typedOptions.some((option) => option.name === name);
  const typed = pkg.sections.filter(({ name, anonymous }) => !anonymous && isTyped(name));
  if (typed.length === 0) return pkg;
  const kept = pkg.sections.filter((section) => !typed.includes(section));
  const name = mainSection.name as string;
  const known = kept.find((section) => !section.anonymous && section.name === name);
  const options = new Map(known?.options);
  for (const { name: option, type: value } of typed) {
    options.set(option, value);
    if (option !== 'rate') continue;
    options.delete('upload_rate');
    options.delete('download_rate');
  }
  const main = { type: known?.type ?? mainSection.type, name, anonymous: false, options };
  const sections = known
    ? kept.map((section) => (section === known ? main : section))
    : [main, ...kept];
  return { ...pkg, sections };
}
