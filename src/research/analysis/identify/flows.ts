// Traffic as an observer separates it: by device where addresses tell devices apart, else by who it is exchanged with.
import { isLocalAddress } from '../../../core/capture/addresses.ts';
import { type Decoded, decodePacket } from '../../../core/capture/decode.ts';
import type { CapturedPacket } from '../../../shell/capture/reader.ts';
import type { FlowRecord } from '../../capture/flows/flow-record.ts';
import { NameBook } from '../../capture/names/name-book.ts';
import { NameListener } from '../../capture/names/name-listener.ts';
import { RateSeries } from './features.ts';
import type { Stream, View } from './stream.ts';

export type { Stream, View } from './stream.ts';

interface End {
  address: string;
  mac: string | null;
}

/** Who a packet or a flow is between. */
type Ends = Pick<
  Decoded,
  | 'etherSource'
  | 'etherDestination'
  | 'source'
  | 'destination'
  | 'protocol'
  | 'sourcePort'
  | 'destinationPort'
>;

/** What goes on between two addresses; up is from `near` to `far`. */
interface Pair {
  near: End;
  far: End;
  /** Whether it is certain that `near` is the home's end. */
  oriented: boolean;
  packets: number;
  bytes: [up: number, down: number];
  flows: Set<number>;
  services: [near: Set<string>, far: Set<string>];
  firstS: number;
  lastS: number;
  series: RateSeries;
}

/** Gathers a capture's packets. Memory grows with who talks to whom and for how long, not with packets. */
export class FlowTable {
  readonly #binS: number;
  readonly #home: ReadonlySet<string>;
  readonly #pairs = new Map<string, Pair>();
  /** Of each address seen whether it stays in the home. */
  readonly #local = new Map<string, boolean>();
  /** What was said of names. */
  readonly book = new NameBook();
  readonly #listener = new NameListener(this.book);
  packets = 0;
  /** Records of flows, in the place of packets. */
  records = 0;
  /** Packets that never left the home, or were no IP. */
  localPackets = 0;
  firstS = Number.POSITIVE_INFINITY;
  lastS = Number.NEGATIVE_INFINITY;

  /**
   * @param binS finest sample of rates, seconds
   * @param home addresses of the home's end where they are public; guessed when not given
   */
  constructor(binS: number, home: Iterable<string> = []) {
    this.#binS = binS;
    this.#home = new Set(home);
  }

  add(packet: CapturedPacket): void {
    this.packets++;
    this.firstS = Math.min(this.firstS, packet.timeS);
    this.lastS = Math.max(this.lastS, packet.timeS);
    const decoded = decodePacket(packet);
    if (decoded === null) {
      this.localPackets++;
      return;
    }
    this.#listener.hear(decoded);
    if (this.#isLocal(decoded.source) && this.#isLocal(decoded.destination)) {
      this.localPackets++;
      return;
    }
    const { pair, isUp } = this.#pairOf(packet.timeS, decoded);
    count(pair, packet.timeS, isUp, 1, decoded.ipBytes);
    pair.series.add({
      timeS: packet.timeS,
      bytes: decoded.ipBytes,
      direction: isUp ? 'up' : 'down',
    });
  }

  /** A flow as its packets would have come: equal ones, evenly spaced from its beginning to its end. */
  addFlow(flow: FlowRecord): void {
    const { timeS, durationS, source, destination } = flow;
    this.records++;
    this.firstS = Math.min(this.firstS, timeS);
    this.lastS = Math.max(this.lastS, timeS + durationS);
    if (this.#isLocal(source) && this.#isLocal(destination)) {
      this.localPackets += flow.packets;
      return;
    }
    // Many routers tell one end's alone, and the way back would be another device's.
    const areBoth = flow.sourceMac !== null && flow.destinationMac !== null;
    const ends = {
      ...flow,
      etherSource: areBoth ? flow.sourceMac : null,
      etherDestination: areBoth ? flow.destinationMac : null,
    };
    const { pair, isUp } = this.#pairOf(timeS, ends);
    const back = flow.reply;
    for (const [way, part] of [
      [isUp, flow],
      [!isUp, back],
    ] as const) {
      if (!part || part.bytes === 0) continue;
      this.packets += part.packets;
      count(pair, timeS, way, part.packets, part.bytes);
      pair.lastS = Math.max(pair.lastS, timeS + durationS);
      const sample = {
        timeS,
        bytes: part.bytes,
        direction: way ? ('up' as const) : ('down' as const),
      };
      pair.series.addSpread(sample, durationS, part.packets);
    }
  }

  /** The streams as seen from `view`, the largest first. */
  streams(view: View): Stream[] {
    const streams = new Map<string, Stream>();
    for (const pair of this.#orientedPairs()) {
      // A resolver answers for all devices: from outside its stream is nobody's.
      if (view === 'wan' && [...pair.services[1]].join() === '17/53') continue;
      const key = view === 'wan' ? pair.far.address : (pair.near.mac ?? pair.near.address);
      let stream = streams.get(key);
      if (!stream) {
        stream = this.#emptyStream(key, view, pair);
        streams.set(key, stream);
      }
      this.#addPair(stream, pair, view);
    }
    return [...streams.values()].sort((a, b) => b.packets - a.packets);
  }

  /** `wan` where the home's end has a public address, as behind its router. */
  guessView(): View {
    const pairs = this.#orientedPairs();
    return pairs.length > 0 && pairs.every(({ near }) => !isLocalAddress(near.address))
      ? 'wan'
      : 'lan';
  }

  /** The pair that two ends are, and whether what goes from source to destination goes up. */
  #pairOf(timeS: number, ends: Ends): { pair: Pair; isUp: boolean } {
    const { source, destination } = ends;
    const sourceIsHome = this.#isHome(source);
    const destinationIsHome = this.#isHome(destination);
    const oriented = sourceIsHome !== destinationIsHome;
    const forward = oriented ? sourceIsHome : source < destination;
    const [nearAddress, farAddress] = forward ? [source, destination] : [destination, source];
    const [nearMac, farMac] = forward
      ? [ends.etherSource, ends.etherDestination]
      : [ends.etherDestination, ends.etherSource];
    const key = `${nearMac}|${nearAddress}|${farAddress}`;
    let pair = this.#pairs.get(key);
    if (!pair) {
      pair = {
        near: { address: nearAddress, mac: nearMac },
        far: { address: farAddress, mac: farMac },
        oriented,
        packets: 0,
        bytes: [0, 0],
        flows: new Set(),
        services: [new Set(), new Set()],
        firstS: timeS,
        lastS: timeS,
        series: new RateSeries(this.#binS),
      };
      this.#pairs.set(key, pair);
    }
    if (ends.sourcePort !== null && ends.destinationPort !== null) {
      const { sourcePort, destinationPort, protocol } = ends;
      const [nearPort, farPort] = forward
        ? [sourcePort, destinationPort]
        : [destinationPort, sourcePort];
      const flow = (protocol * 65536 + nearPort) * 65536 + farPort;
      if (!pair.flows.has(flow)) {
        pair.flows.add(flow);
        pair.services[0].add(`${protocol}/${nearPort}`);
        pair.services[1].add(`${protocol}/${farPort}`);
      }
    }
    return { pair, isUp: forward };
  }

  #isHome(address: string): boolean {
    return this.#home.size > 0 ? this.#home.has(address) : this.#isLocal(address);
  }

  #isLocal(address: string): boolean {
    let isLocal = this.#local.get(address);
    if (isLocal === undefined) {
      isLocal = isLocalAddress(address);
      this.#local.set(address, isLocal);
    }
    return isLocal;
  }

  /** Pairs with the home's end near; where neither end is private, the end that all have in common is the home's. */
  #orientedPairs(): Pair[] {
    const open = [...this.#pairs.values()].filter((pair) => !pair.oriented);
    const peers = new Map<string, number>();
    for (const { near, far } of open) {
      for (const { address } of [near, far]) peers.set(address, (peers.get(address) ?? 0) + 1);
    }
    return [...this.#pairs.values()].map((pair) => {
      if (pair.oriented || this.#seemsHome(pair, peers)) return pair;
      const turned = new RateSeries(this.#binS);
      turned.addSeries(pair.series, true);
      const { near, far, bytes, services } = pair;
      return {
        ...pair,
        near: far,
        far: near,
        bytes: [bytes[1], bytes[0]],
        services: [services[1], services[0]],
        series: turned,
      };
    });
  }

  #seemsHome({ near, far, services }: Pair, peers: Map<string, number>): boolean {
    const difference = peers.get(near.address)! - peers.get(far.address)!;
    // With one pair only, the side of fewer ports is the server's.
    return difference !== 0 ? difference > 0 : services[0].size >= services[1].size;
  }

  #emptyStream(key: string, view: View, { near, firstS, lastS }: Pair): Stream {
    const asked = view === 'wan' ? this.book.namesOf(key) : this.book.askedBy(key);
    return {
      key,
      mac: view === 'lan' ? near.mac : null,
      addresses: [],
      remotes: [],
      names: [...asked],
      announced: view === 'lan' ? this.book.announcedBy(near.mac, near.address) : [],
      packets: 0,
      upBytes: 0,
      downBytes: 0,
      flows: 0,
      firstS,
      lastS,
      series: new RateSeries(this.#binS),
    };
  }

  #addPair(stream: Stream, pair: Pair, view: View): void {
    const { near, far } = pair;
    if (!stream.addresses.includes(near.address)) stream.addresses.push(near.address);
    const names = [...this.book.namesOf(far.address)];
    stream.remotes.push({ address: far.address, names, services: [...pair.services[1]].sort() });
    // An answer seen without its question, or asked by a resolver in between, still names who is talked to.
    if (view === 'lan') {
      for (const name of names) if (!stream.names.includes(name)) stream.names.push(name);
    }
    stream.packets += pair.packets;
    stream.upBytes += pair.bytes[0];
    stream.downBytes += pair.bytes[1];
    stream.flows += pair.flows.size;
    stream.firstS = Math.min(stream.firstS, pair.firstS);
    stream.lastS = Math.max(stream.lastS, pair.lastS);
    stream.series.addSeries(pair.series);
  }
}

function count(pair: Pair, timeS: number, isUp: boolean, packets: number, bytes: number): void {
  pair.packets += packets;
  pair.bytes[isUp ? 0 : 1] += bytes;
  pair.firstS = Math.min(pair.firstS, timeS);
  pair.lastS = Math.max(pair.lastS, timeS);
}
