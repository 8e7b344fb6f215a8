// Listens for names in packets: DNS, TLS, QUIC, DHCP, mDNS, SSDP.
import type { Decoded } from '../../../core/capture/decode.ts';
import { parseDns } from '../dns.ts';
import { readMdns, readSsdp } from './announcements.ts';
import { readDhcp } from './dhcp.ts';
import type { NameBook } from './name-book.ts';
import { type CryptoPart, openInitial } from './quic-initial.ts';
import { openRecords, readHello } from './tls-hello.ts';

const TCP = 6;
const UDP = 17;
const ports = { dns: 53, dhcpServer: 67, ssdp: 1900, mdns: 5353 } as const;
/** First messages that came in part, of so many connections at a time; and none is longer. */
const MOST_OPEN = 256;
const LONGEST_HELLO = 16_384;

export class NameListener {
  readonly #book: NameBook;
  /** What came of a first message so far, by connection. */
  readonly #openTls = new Map<string, Uint8Array>();
  readonly #openQuic = new Map<string, CryptoPart[]>();

  constructor(book: NameBook) {
    this.#book = book;
  }

  hear(decoded: Decoded): void {
    const { protocol, payload } = decoded;
    if (payload.length < 12 || decoded.sourcePort === null) return;
    if (protocol === TCP) this.#hearTls(decoded);
    else if (protocol === UDP) this.#hearUdp(decoded);
  }

  #hearUdp(decoded: Decoded): void {
    const { sourcePort, destinationPort, payload, etherSource, source } = decoded;
    if (sourcePort === ports.dns || destinationPort === ports.dns) this.#hearDns(decoded);
    else if (destinationPort === ports.dhcpServer) this.#hearDhcp(payload);
    else if (sourcePort === ports.mdns) {
      for (const name of readMdns(payload)) {
        this.#book.addAnnounced(etherSource, name, 'mDNS');
        this.#book.addAnnounced(source, name, 'mDNS');
      }
    } else if (destinationPort === ports.ssdp || sourcePort === ports.ssdp) {
      const product = readSsdp(payload);
      if (product === null) return;
      this.#book.addAnnounced(etherSource, product, 'SSDP');
      this.#book.addAnnounced(source, product, 'SSDP');
    } else if ((payload[0]! & 0xc0) === 0xc0 && payload.length >= 1200) this.#hearQuic(decoded);
  }

  #hearDns(decoded: Decoded): void {
    const message = parseDns(decoded.payload);
    if (message === null) return;
    const [mac, address] = message.isResponse
      ? [decoded.etherDestination, decoded.destination]
      : [decoded.etherSource, decoded.source];
    for (const key of [mac, address]) {
      for (const name of message.questions) this.#book.addAsked(key, name);
    }
    for (const { address: answer, names } of message.addresses) {
      for (const name of names) this.#book.addAddress(answer, name);
    }
  }

  #hearDhcp(payload: Uint8Array): void {
    const request = readDhcp(payload);
    if (request === null) return;
    for (const who of [request.mac, request.address]) {
      if (request.host !== null) this.#book.addAnnounced(who, request.host, 'DHCP');
      if (request.vendor !== null) this.#book.addAnnounced(who, request.vendor, 'DHCP vendor');
    }
  }

  #hearTls(decoded: Decoded): void {
    const { payload } = decoded;
    const begins = payload[0] === 22 && payload[1] === 3 && payload[5] === 1;
    if (!begins && this.#openTls.size === 0) return;
    const flow = flowOf(decoded);
    const before = begins ? undefined : this.#openTls.get(flow);
    if (!begins && before === undefined) return;
    const stream = before ? Buffer.concat([before, payload]) : payload;
    const message = openRecords(stream);
    const hello = message && readHello(message);
    this.#openTls.delete(flow);
    if (hello?.serverName) this.#tellServer(decoded, hello.serverName);
    else if (hello?.isCut && stream.length < LONGEST_HELLO && this.#openTls.size < MOST_OPEN) {
      this.#openTls.set(flow, stream.slice());
    }
  }

  #hearQuic(decoded: Decoded): void {
    const parts = openInitial(decoded.payload);
    if (parts === null) return;
    const flow = flowOf(decoded);
    const all = [...(this.#openQuic.get(flow) ?? []), ...parts];
    const hello = readHello(joinParts(all));
    this.#openQuic.delete(flow);
    if (hello?.serverName) this.#tellServer(decoded, hello.serverName);
    else if (hello?.isCut && all.length < 64 && this.#openQuic.size < MOST_OPEN) {
      this.#openQuic.set(
        flow,
        all.map(({ offset, data }) => ({ offset, data: data.slice() })),
      );
    }
  }

  #tellServer({ etherSource, source, destination }: Decoded, name: string): void {
    this.#book.addAsked(etherSource, name);
    this.#book.addAsked(source, name);
    this.#book.addAddress(destination, name);
  }
}

function flowOf({ source, sourcePort, destination, destinationPort }: Decoded): string {
  return `${source} ${sourcePort} ${destination} ${destinationPort}`;
}

/** The message from its beginning as far as no part is missing. */
function joinParts(parts: readonly CryptoPart[]): Uint8Array {
  const sorted = [...parts].sort((a, b) => a.offset - b.offset);
  const bytes: Uint8Array[] = [];
  let end = 0;
  for (const { offset, data } of sorted) {
    if (offset > end) break;
    if (offset + data.length <= end) continue;
    bytes.push(data.subarray(end - offset));
    end = offset + data.length;
  }
  return Buffer.concat(bytes);
}
