// Bench: every reader beside tshark, softflowd and nfdump on generated files: node build/test/bench/readers/table.js [PACKETS]
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodePacket } from '../../../src/core/capture/decode.ts';
import { linkTypes } from '../../../src/core/capture/link-layer.ts';
import { renderTable } from '../../../src/core/plot/text-table.ts';
import { seededRandom } from '../../../src/core/random/random.ts';
import type { FlowRecord } from '../../../src/research/capture/flows/flow-record.ts';
import { openSource } from '../../../src/research/capture/source.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';
import { encodeCapture } from '../../capture/capture-writer.ts';
import { deviceMac, ethernetFrame, udpPacket } from '../../capture/packets.ts';
import { drawPacket, links } from './links.ts';
import { askTshark, type PacketFacts } from './tshark.ts';

const count = Number(process.argv[2] ?? 500);
/** None of the exporters takes nearly as long. */
const LONGEST_MS = 60_000;
const START_S = 1_790_000_000;
const folder = await mkdtemp(join(tmpdir(), 'readers-'));
let different = 0;

try {
  await comparePackets();
  await compareFlows();
} finally {
  await rm(folder, { recursive: true });
}
console.log(different === 0 ? '\nno difference' : `\n${different} differences`);
process.exitCode = different === 0 ? 0 : 1;

async function comparePackets(): Promise<void> {
  const rows: string[][] = [];
  for (const [place, [name, linkType, wrap]] of links.entries()) {
    const random = seededRandom(place + 1, 81);
    const path = join(folder, `${place}.pcap`);
    const packets = Array.from({ length: count }, (_, k) => ({
      timeS: START_S + k / 8,
      data: Uint8Array.from(wrap(drawPacket(random))),
    }));
    await writeFile(path, encodeCapture(linkType, packets));
    const own = await readFacts(path);
    // tshark has no name for a sender's address in NFLOG.
    const senderIs = linkType === linkTypes.nflog ? deviceMac : null;
    const theirs = askTshark(path).map((one) => ({
      ...one,
      ...(senderIs && { etherSource: senderIs }),
    }));
    const off = compare(own, theirs);
    different += off.length;
    rows.push([
      name,
      String(linkType),
      String(own.length),
      String(theirs.length),
      String(off.length),
      off[0] ?? '',
    ]);
  }
  console.log(
    renderTable(
      [
        { title: 'link' },
        { title: 'number', right: true },
        { title: 'packets read', right: true },
        { title: 'by tshark', right: true },
        { title: 'that differ', right: true },
        { title: 'the first' },
      ],
      rows,
    ),
  );
}

async function readFacts(path: string): Promise<PacketFacts[]> {
  const source = await openSource(nodeSystem, path, {
    notes: { warn: (message) => console.log(message) },
    onName: () => undefined,
    onHost: () => undefined,
  });
  if (source.kind !== 'packets') throw new Error(`${path}: was taken for ${source.kind}`);
  const facts: PacketFacts[] = [];
  for await (const batch of source.batches) {
    for (const packet of batch) {
      const decoded = decodePacket(packet);
      facts.push({
        timeS: packet.timeS.toFixed(6),
        etherSource: decoded?.etherSource ?? '',
        source: decoded?.source ?? '',
        destination: decoded?.destination ?? '',
        protocol: String(decoded?.protocol ?? ''),
        ports: `${decoded?.sourcePort ?? ''} ${decoded?.destinationPort ?? ''}`,
        ipBytes: String(decoded?.ipBytes ?? ''),
      });
    }
  }
  return facts;
}

/** What differs, each in words. */
function compare(own: readonly PacketFacts[], theirs: readonly PacketFacts[]): string[] {
  return Array.from({ length: Math.max(own.length, theirs.length) }, (_, k) => {
    const names = Object.keys(own[k] ?? theirs[k]!) as (keyof PacketFacts)[];
    const off = names.filter((name) => own[k]?.[name] !== theirs[k]?.[name]);
    return off.map((name) => `${k}: ${name} "${own[k]?.[name]}", not "${theirs[k]?.[name]}"`);
  }).flatMap((off) => off.slice(0, 1));
}

interface FlowSums {
  packets: number;
  bytes: number;
}

/** One capture as flows of each exporter, against what was sent and what nfdump reads. */
async function compareFlows(): Promise<void> {
  const random = seededRandom(1, 82);
  const pcap = join(folder, 'flows.pcap');
  const sent: FlowSums = { packets: 0, bytes: 0 };
  const packets = Array.from({ length: count }, (_, k) => {
    const isUp = random() < 0.5;
    const [near, far] = ['192.168.8.11', `198.51.100.${1 + (k % 9)}`];
    const ip = udpPacket({
      source: isUp ? near : far,
      destination: isUp ? far : near,
      sourcePort: isUp ? 40_000 : 443,
      destinationPort: isUp ? 443 : 40_000,
      payload: new Uint8Array(100 + Math.floor(900 * random())),
    });
    sent.packets++;
    sent.bytes += ip.length;
    return { timeS: START_S + k / 8, data: ethernetFrame(ip) };
  });
  await writeFile(pcap, encodeCapture(linkTypes.ethernet, packets));
  const rows = [['sent', '', String(sent.packets), String(sent.bytes), '']];
  const add = (name: string, { packets: n, bytes }: FlowSums, records: number | string): void => {
    const isOff = n !== sent.packets || bytes !== sent.bytes;
    if (isOff) different++;
    rows.push([name, String(records), String(n), String(bytes), isOff ? 'differs' : 'as sent']);
  };
  for (const version of [5, 9, 10]) {
    const path = join(folder, `v${version}`);
    await writeFile(path, await exportFlows(pcap, version));
    const flows = await readFlows(path);
    add(
      `softflowd, ${version === 10 ? 'IPFIX' : `NetFlow ${version}`}`,
      sumOf(flows),
      flows.length,
    );
  }
  for (const [name, option] of [
    ['plain', []],
    ['LZ4', ['-y']],
  ] as const) {
    const into = await mkdtemp(join(folder, 'nfcapd-'));
    execFileSync('nfpcapd', ['-r', pcap, '-w', into, ...option], {
      stdio: 'ignore',
      timeout: LONGEST_MS,
    });
    const flows: FlowRecord[] = [];
    const read: FlowSums = { packets: 0, bytes: 0 };
    for (const file of (await readdir(into)).filter((one) => one.startsWith('nfcapd.'))) {
      flows.push(...(await readFlows(join(into, file))));
      const said = execFileSync('nfdump', ['-r', join(into, file), '-I'], { encoding: 'utf8' });
      read.packets += Number(/^Packets: (\d+)/m.exec(said)?.[1]);
      read.bytes += Number(/^Bytes: (\d+)/m.exec(said)?.[1]);
    }
    add(`nfpcapd, ${name}`, sumOf(flows), flows.length);
    add(`nfpcapd, ${name}, by nfdump`, read, '');
  }
  console.log(
    `\n${renderTable(
      [
        { title: 'flows' },
        { title: 'records', right: true },
        { title: 'packets', right: true },
        { title: 'bytes', right: true },
        { title: '' },
      ],
      rows,
    )}`,
  );
}

/** The datagrams softflowd sends, one behind the other. */
async function exportFlows(pcap: string, version: number): Promise<Uint8Array> {
  const socket = createSocket('udp4');
  const datagrams: Uint8Array[] = [];
  socket.on('message', (message) => datagrams.push(message));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  const argv = ['-d', '-r', pcap, '-n', `127.0.0.1:${port}`, '-v', String(version)];
  execFileSync('softflowd', argv, { stdio: 'ignore', timeout: LONGEST_MS });
  // All of it stands in the socket by now: what is sent last comes last.
  const sender = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.on('message', (message) => message.length === 0 && resolve());
    sender.send(new Uint8Array(0), port, '127.0.0.1');
  });
  sender.close();
  socket.close();
  return Buffer.concat(datagrams);
}

async function readFlows(path: string): Promise<FlowRecord[]> {
  const source = await openSource(nodeSystem, path, {
    notes: { warn: (message) => console.log(message) },
    onName: () => undefined,
    onHost: () => undefined,
  });
  if (source.kind !== 'flows') throw new Error(`${path}: was taken for ${source.kind}`);
  const flows: FlowRecord[] = [];
  for await (const flow of source.flows) flows.push(flow);
  return flows;
}

function sumOf(flows: readonly FlowRecord[]): FlowSums {
  const all = flows.flatMap((flow) => [flow, ...(flow.reply ? [flow.reply] : [])]);
  return {
    packets: all.reduce((sum, { packets }) => sum + packets, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
