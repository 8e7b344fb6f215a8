// Reads the sections of type device, and refuses two that claim the same traffic.
import { notice } from '../notices/notice.ts';
import { type AddressBlock, findNestings, parseAddressBlock } from './addresses.ts';
import { problem, quoteValue } from './config-error.ts';
import type { Found, Reading } from './config-reading.ts';
import { deviceSection } from './options/options.ts';
import type { DeviceConfig } from './types.ts';

/** An address of a device. */
interface Claim extends AddressBlock {
  /** As written. */
  text: string;
  /** Of the device. */
  path: string;
  /** The device as a person knows it. */
  label: string;
  /** Place among all devices' addresses in the file. */
  order: number;
}

/** The devices in the order of the file; problems go to `reading`. */
export function readDevices(found: readonly Found[], reading: Reading): DeviceConfig[] {
  const owners = new Map<string, string>();
  const claims: Claim[] = [];
  const devices = found.map((one) => {
    const { name: section, path } = one;
    const values = reading.read(deviceSection, one, path);
    const label = labelOf(values.name, values.mac, path);
    const mac = readMac(values.mac, { path: `${path}.mac`, label }, owners, reading);
    const own = readClaims(values.ip, { path, label }, claims.length, reading);
    claims.push(...own);
    const name = values.name ?? mac ?? own[0]?.text ?? section;
    return { device: { ...values, section, name, mac }, own };
  });
  const redundant = reportNestings(claims, reading);
  return devices.map(({ device, own }) => ({
    ...device,
    ip: own.filter((claim) => !redundant.has(claim)).map(({ cidr }) => cidr),
  }));
}

/** By name and hardware address; by its section where it has neither. */
function labelOf(name: unknown, mac: unknown, path: string): string {
  const address = typeof mac === 'string' ? mac.toLowerCase() : null;
  if (typeof name !== 'string') return address ?? path;
  return address === null ? quoteValue(name) : `${quoteValue(name)} (${address})`;
}

function readMac(
  text: unknown,
  { path, label }: Pick<Claim, 'path' | 'label'>,
  owners: Map<string, string>,
  reading: Reading,
): string | null {
  if (typeof text !== 'string') return null;
  const mac = text.toLowerCase();
  const owner = owners.get(mac);
  if (owner === undefined) owners.set(mac, label);
  else {
    reading.errors.push(
      problem(path, text, (at) => notice('hardware-address-taken', { ...at, label, owner })),
    );
  }
  return mac;
}

function readClaims(
  texts: string[],
  { path, label }: Pick<Claim, 'path' | 'label'>,
  before: number,
  reading: Reading,
): Claim[] {
  const claims: Claim[] = [];
  for (const text of texts) {
    const block = parseAddressBlock(text);
    if (block === null) continue;
    if (block.trimmed) {
      const value = quoteValue(text);
      const read = { path: `${path}.ip`, value, prefix: block.cidr };
      reading.warnings.push(notice('address-trimmed', read));
    }
    claims.push({ ...block, text, path, label, order: before + claims.length });
  }
  return claims;
}

/** Claims of two devices that meet are an error; within one device the smaller is redundant. */
function reportNestings(claims: readonly Claim[], reading: Reading): Set<Claim> {
  const redundant = new Set<Claim>();
  for (const { outer, inner } of findNestings(claims)) {
    if (outer.path === inner.path) {
      redundant.add(inner);
      const path = `${inner.path}.ip`;
      const texts = { inner: inner.text, outer: outer.text };
      reading.warnings.push(notice('address-redundant', { path, ...texts }));
      continue;
    }
    const [first, second] = outer.order < inner.order ? [outer, inner] : [inner, outer];
    reading.errors.push(
      problem(`${second.path}.ip`, second.text, (at) =>
        notice('address-overlaps', {
          ...at,
          label: second.label,
          other: first.text,
          owner: first.label,
        }),
      ),
    );
  }
  return redundant;
}
