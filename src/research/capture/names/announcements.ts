// What devices tell their home of themselves: mDNS (RFC 6762, 6763) and UPnP's SSDP.
import { viewOf } from '../../../core/capture/pcap.ts';
import { readName } from '../dns.ts';

const types = { a: 1, pointer: 12, text: 16, aaaa: 28, service: 33 } as const;

/** Names in an mDNS answer: of services first, as people gave them, then of the host. */
export function readMdns(payload: Uint8Array): string[] {
  if (payload.length < 12) return [];
  const view = viewOf(payload);
  if ((view.getUint16(2) & 0x8000) === 0) return [];
  let at = 12;
  for (let i = 0; i < Math.min(64, view.getUint16(4)); i++) {
    const question = readName(payload, at, false);
    if (question === null) return [];
    at = question.next + 4;
  }
  const count = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  const services = new Set<string>();
  const hosts = new Set<string>();
  for (let i = 0; i < Math.min(256, count); i++) {
    const owner = readName(payload, at, false);
    if (owner === null || owner.next + 10 > payload.length) break;
    const type = view.getUint16(owner.next);
    const data = owner.next + 10;
    at = data + view.getUint16(owner.next + 8);
    if (at > payload.length) break;
    if (type === types.pointer) addInstance(services, readName(payload, data, false)?.text);
    if (type === types.service || type === types.text) addInstance(services, owner.text);
    if (type === types.a || type === types.aaaa) {
      if (/^[^_].*\.local$/i.test(owner.text)) hosts.add(owner.text.replace(/\.local$/i, ''));
    }
  }
  return [...services, ...hosts];
}

/** `Hue Bridge - 0A1B2C` of `Hue Bridge - 0A1B2C._hap._tcp.local`. */
function addInstance(services: Set<string>, name: string | undefined): void {
  const instance = /^([^_].*?)\._[a-z0-9-]+\._(?:tcp|udp)\.local$/i.exec(name ?? '')?.[1];
  if (instance) services.add(instance);
}

/** The product in an SSDP message of a device, such as `IpBridge/1.26.0`; null where it names none. */
export function readSsdp(payload: Uint8Array): string | null {
  const text = String.fromCharCode(...payload.subarray(0, 2048));
  if (!/^(?:NOTIFY \*|HTTP\/1\.1 200)/.test(text)) return null;
  const server = /^server:[ \t]*([\x20-\x7e]+)/im.exec(text)?.[1];
  // System, UPnP and product, in this order (UPnP Device Architecture 1.1, 1.2.2).
  const product = server?.split(/,?\s+/).filter((part) => !/^(?:UPnP|DLNADOC)\//i.test(part));
  return product && product.length > 1 ? product.slice(1).join(' ') : null;
}
