// Names for devices: what their DNS queries give away, and what a user's file says.

import { parseMac } from '../../core/capture/addresses.ts';
import { LineError } from '../../core/text/line-error.ts';
import { deviceCatalogue } from '../devices/catalogue.ts';
import type { DnsRule } from './identify/dns-rule.ts';
import { makerDomains } from './identify/maker-domains.ts';

/** What is known about who is who. */
export interface Labels {
  dns: DnsRule[];
  /** By MAC address, by address, and by the end of a capture's path. */
  mac: Map<string, string>;
  ip: Map<string, string>;
  file: { suffix: string; label: string }[];
}

/** The paper's devices, then makers of others: rules that need no file. */
export function defaultLabels(): Labels {
  const paper = deviceCatalogue.flatMap(({ name, dnsSuffixes }) =>
    dnsSuffixes.map((suffix) => ({ suffix, label: name })),
  );
  return { dns: [...paper, ...makerDomains], mac: new Map(), ip: new Map(), file: [] };
}

/**
 * Reads a label file and adds it to `base`; its rules come before those there. A line is `kind,value,label`:
 * `dns,tuyaeu.com,Tuya plug`, `mac,18:b4:30:00:00:01,Nest Cam`, `ip,192.168.1.20,Echo`, `file,echo.pcap,Echo`.
 * Empty lines and those that begin with # are passed over.
 * @throws LineError naming the line
 */
export function parseLabels(text: string, name: string, base: Labels): Labels {
  const labels: Labels = { dns: [], mac: new Map(base.mac), ip: new Map(base.ip), file: [] };
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.replace(/^\uFEFF/, '').trim();
    if (line === '' || line.startsWith('#') || line === 'kind,value,label') return;
    const [kind = '', value = '', ...rest] = line.split(',').map((field) => field.trim());
    const label = rest.join(', ');
    const fail = (problem: string) => new LineError(name, i + 1, problem);
    if (value === '' || label === '') {
      throw fail(`"${line}" is not kind,value,label such as mac,18:b4:30:00:00:01,Nest Cam`);
    }
    if (kind === 'dns') labels.dns.push({ suffix: normaliseName(value), label });
    else if (kind === 'ip') labels.ip.set(value.toLowerCase(), label);
    else if (kind === 'file') labels.file.push({ suffix: value, label });
    else if (kind === 'mac') {
      const mac = parseMac(value);
      if (mac === null) throw fail(`"${value}" is not a MAC address`);
      labels.mac.set(mac, label);
    } else throw fail(`kind "${kind}" is not one of dns, mac, ip, file`);
  });
  labels.dns.push(...base.dns);
  labels.file.push(...base.file);
  return labels;
}

/** What names say about who looked them up: the label most of them speak for, and those that do. */
export function labelByNames(
  names: Iterable<string>,
  rules: readonly DnsRule[],
): { label: string; names: string[] } | null {
  let best: { label: string; names: string[] } | null = null;
  for (const found of labelsInNames(names, rules)) {
    if (best === null || found.names.length > best.names.length) best = found;
  }
  return best;
}

/** Every label that any of the names speaks for. */
export function labelsInNames(
  names: Iterable<string>,
  rules: readonly DnsRule[],
): { label: string; names: string[] }[] {
  const found = new Map<string, string[]>();
  for (const name of names) {
    const rule = rules.find(({ suffix }) => name === suffix || name.endsWith(`.${suffix}`));
    if (!rule) continue;
    const matched = found.get(rule.label);
    if (matched) matched.push(name);
    else found.set(rule.label, [name]);
  }
  return Array.from(found, ([label, matched]) => ({ label, names: matched }));
}

function normaliseName(name: string): string {
  return name
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/\.$/, '');
}
