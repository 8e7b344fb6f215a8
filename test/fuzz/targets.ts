// Everything that reads what others made: how bad input for it is drawn, and how it is put through. For the suite and the bench.
import { readdirSync, readFileSync } from 'node:fs';
import { parseConfig } from '../../src/core/config/config.ts';
import { ConfigError } from '../../src/core/config/config-error.ts';
import { parseUci, UciError } from '../../src/core/config/uci/uci.ts';
import { renderUciFile } from '../../src/core/config/uci/uci-writer.ts';
import { EndpointHandshake } from '../../src/core/control/endpoint-handshake.ts';
import { HomeHandshake } from '../../src/core/control/home-handshake.ts';
import { PROOF_BYTES } from '../../src/core/control/proof.ts';
import { ipDestination, ipSource, isIpPacket } from '../../src/core/framing/ip-packet.ts';
import { Packer } from '../../src/core/framing/packer.ts';
import { DeviceQueues } from '../../src/core/framing/queues.ts';
import { Unpacker } from '../../src/core/framing/unpacker.ts';
import { answerFromHouse } from '../../src/core/home/names/dns-answer.ts';
import { readMessages } from '../../src/core/netlink/netlink.ts';
import { readCounters, readElements, readGeneration } from '../../src/core/netlink/nft-messages.ts';
import { readClient } from '../../src/core/openvpn/clients.ts';
import { parseManagementLine } from '../../src/core/openvpn/management.ts';
import type { PemReader } from '../../src/core/openvpn/pem.ts';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { TroubleReader } from '../../src/core/openvpn/troubles.ts';
import { planExample } from '../../src/core/plan/example.ts';
import { serveLocalApi } from '../../src/shell/machine/local-api.ts';
import { readMonitorLine } from '../../src/shell/network/network-monitor.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import type { Connection, System } from '../../src/shell/system/system.ts';
import { inner, inside, proofOf } from '../control/proofs.ts';
import { cameraPacket, echoPacket, plugPacket, wireCases } from '../framing/wire-frames.ts';
import { bytesOf as bytesOfHex, netlinkSamples } from '../netlink/recorded.ts';
import { TcListingReader } from '../stand-ins/tc-listing-reader.ts';
import { exerciseCodec, ubusSamples } from '../ubus/codec-exercise.ts';
import { type Draw, damageBytes, damageJson, damageText, noise } from './mutation.ts';

/** Whether anything of an input was taken; what is thrown is the fault that was looked for. */
type Outcome = 'taken' | 'refused';

export interface FuzzTarget {
  name: string;
  /** Makes ready what lives as long as the service does, and gives what draws an input and puts it through. */
  prepare: () => (draw: Draw) => Outcome | Promise<Outcome>;
}

const BYTES = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const SHAPE = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 } as const;
/** See core/control/message.ts. */
const [SEQUENCE_AT, LENGTH_AT, TEXT_AT] = [PROOF_BYTES + 25, PROOF_BYTES + 29, PROOF_BYTES + 31];

/** The targets, by the names that the bench takes. */
export const fuzzTargets: readonly FuzzTarget[] = [
  { name: 'uci', prepare: fuzzConfigurations },
  { name: 'profile', prepare: fuzzProfiles },
  { name: 'frames', prepare: fuzzFrames },
  { name: 'packets', prepare: fuzzPackets },
  { name: 'control', prepare: fuzzControl },
  { name: 'ubus', prepare: () => (draw) => exerciseCodec(bytesOf(draw, ubusSamples)) },
  { name: 'api', prepare: fuzzLocalApi },
  { name: 'tools', prepare: fuzzToolLines },
  { name: 'netlink', prepare: fuzzNetlink },
];

/** Noise for one in eight, else samples, damaged. */
function bytesOf(draw: Draw, samples: readonly Uint8Array[]): Buffer {
  return draw.below(8) === 0 ? noise(draw, 256) : damageBytes(draw, samples);
}

function textOf(draw: Draw, samples: readonly string[], dictionary: readonly string[]): string {
  return draw.below(8) === 0
    ? noise(draw, 256).toString('latin1')
    : damageText(draw, samples, dictionary);
}

function read(path: string): string {
  return readFileSync(`test/${path}`, 'latin1');
}

function fuzzConfigurations(): (draw: Draw) => Outcome {
  const files = readdirSync('test/fixtures/uci').filter((name) => name.endsWith('.uci'));
  const plans = readdirSync('test/golden/home');
  const samples = [
    ...files.map((name) => read(`fixtures/uci/${name}`)).filter((text) => text.length < 4096),
    // What is read by name gets further than what only parses.
    ...[...plans, ...plans, ...plans].map((name) => read(`golden/home/${name}/iotshaper`)),
  ];
  const dictionary = [
    ..."config option list package iotshaper main rate device network schedule tunnel '' ' \\ ; # \0".split(
      ' ',
    ),
    ...[
      '\r',
      '\t',
      '"',
      '-1',
      '1e9',
      'NaN',
      '00:00',
      '24:00',
      'mon',
      'br-iot',
      '10.0.0.0/8',
      '::/0',
    ],
    ...['ff:ff:ff:ff:ff:ff', '\xff\xfe', 'x'.repeat(300), '; drop', '$(id)', '" accept'],
  ];
  return (draw) => {
    const bytes = Buffer.from(textOf(draw, samples, dictionary), 'latin1');
    let outcome: Outcome = 'refused';
    try {
      const pkg = parseUci(bytes, 'iotshaper');
      outcome = 'taken';
      const written = renderUciFile(pkg);
      // libuci prints types bare, so those of other characters do not survive its own export.
      if (pkg.sections.every(({ type }) => /^[\w.@+/[\]-]+$/.test(type))) {
        if (!renderUciFile(parseUci(written, 'iotshaper')).equals(written))
          throw new Error('not the same again');
      }
    } catch (error) {
      if (!(error instanceof UciError)) throw error;
    }
    try {
      planExample(parseConfig(bytes).config, null);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
    return outcome;
  };
}

function fuzzProfiles(): (draw: Draw) => Outcome {
  const names = ['home.ovpn', 'other.key', 'authority.crt'];
  const [home, ...parts] = names.map((name) => read(`fixtures/openvpn/${name}`));
  const samples = [home!, home!, home!, ...parts.map((part) => `${home}${part}`)];
  const dictionary = [
    ...'remote proto port udp tcp 1194 0 65536 auto <ca> </ca> <key> </key> <cert> <iotshaper>'.split(
      ' ',
    ),
    ...['script-security 2', 'up /bin/sh', 'management 0.0.0.0 1', '"', "'", '\\', '\0', '\xff'],
    ...['-----BEGIN CERTIFICATE-----', '-----END PRIVATE KEY-----', '=', 'x'.repeat(300), '\r'],
  ];
  const pem: PemReader = {
    readCertificate: remembered(pemReader.readCertificate),
    readKey: remembered(pemReader.readKey),
    isPair: (certificate, key) => isPair(JSON.stringify([certificate, key])),
  };
  const isPair = remembered((both: string) => {
    const [certificate, key] = JSON.parse(both) as [string, string];
    return pemReader.isPair(certificate, key);
  });
  return (draw) => {
    const verdict = checkProfile(textOf(draw, samples, dictionary), pem);
    return verdict.ok ? 'taken' : 'refused';
  };
}

/** OpenSSL takes longer than all else, and most inputs have the samples' own certificate and key. */
function remembered<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    if (known.size > 100) known.clear();
    const found = known.has(text) ? known.get(text)! : read(text);
    known.set(text, found);
    return found;
  };
}

/** One receiver for all, as a home has: each datagram finds what those before left. */
function fuzzFrames(): (draw: Draw) => Outcome {
  const unpacker = new Unpacker({ emit: checkPacket });
  const samples = wireCases.flatMap(({ frames }) => frames.map(BYTES));
  let nowMs = 0;
  return (draw) => {
    nowMs += draw.below(200);
    const before = unpacker.stats.packets;
    const frame = bytesOf(draw, samples);
    // Most come in order, or none would be read far.
    if (frame.length > 4 && draw.below(8) > 0) frame.writeUInt32BE(unpacker.stats.frames >>> 0);
    unpacker.push(frame, nowMs);
    return unpacker.stats.packets > before ? 'taken' : 'refused';
  };
}

function checkPacket(packet: Uint8Array): void {
  if (!isIpPacket(packet) || packet.length > 1500) throw new Error('no packet came of a frame');
}

/** What a device may send: into the queues of a home and out of them in frames, or answered by the house itself. */
function fuzzPackets(): (draw: Draw) => Outcome {
  const query =
    '4500003700004000401100000a0000020ad600019c4000350023000012340100000100000000000003666f6f036c616e0000010001';
  const samples = [plugPacket, echoPacket, cameraPacket, query].map(BYTES);
  const queues = new DeviceQueues({ maxDelayMs: 1000 });
  const packer = new Packer({ packetBytes: 512, queues });
  const names = {
    domains: ['lan'],
    addresses: new Map([['foo.lan', ['192.168.1.5', 'fd00::5']]]),
    wholes: new Map(),
  };
  let nowMs = 0;
  return (draw) => {
    nowMs += draw.below(20);
    const packet = bytesOf(draw, samples);
    if (packet.length > 0 && draw.below(4) > 0) packet[0] = draw.oneOf([0x45, 0x60]);
    const answer = answerFromHouse(packet, names, ['10.214.0.1']);
    if (answer) checkPacket(answer);
    ipDestination(packet);
    queues.enqueue(ipSource(packet), packet, nowMs);
    const isTaken = isIpPacket(packet);
    packer.nextFrame(nowMs);
    return isTaken || answer ? 'taken' : 'refused';
  };
}

/** Half of them proven: a home may be as bad as its owner, and its endpoint as bad as its provider. */
function fuzzControl(): (draw: Draw) => Outcome {
  const proof = proofOf(1);
  let drawn = 0;
  const drawNonce = (): string => (++drawn).toString(16).padStart(24, '0');
  let home = new HomeHandshake({ proof, version: '0.1.0', inside, drawNonce });
  const endpoint = new EndpointHandshake({ proof, version: '0.1.0', drawNonce });
  const report = {
    queuePackets: 0,
    queueMs: 0,
    dropped: 0,
    received: 1,
    troubles: [],
    wholeBytes: null,
  };
  let nowMs = 0;
  return (draw) => {
    nowMs += draw.below(500);
    // A home that starts anew is challenged.
    if (draw.below(20) === 0)
      home = new HomeHandshake({ proof, version: '0.1.0', inside, drawNonce });
    home.want({ upload: SHAPE, download: SHAPE, maxDelayMs: 1000, standingSlots: null });
    const { datagram: hello } = home.hello(nowMs)!;
    const heard = endpoint.receive(hello, 512, nowMs);
    const samples = [
      hello,
      ...(heard?.kind === 'challenge' ? [heard.datagram] : []),
      ...(heard?.kind === 'hello' ? [endpoint.welcome(heard.hello, inner, report, 512)] : []),
    ];
    const bytes = draw.below(2) === 0 ? bytesOf(draw, samples) : damagedText(draw, samples);
    if (bytes.length >= LENGTH_AT && draw.below(2) === 0) {
      // What was said before is old, whatever it says now.
      bytes.writeUInt32BE((bytes.readUInt32BE(SEQUENCE_AT) + draw.below(2)) >>> 0, SEQUENCE_AT);
      proof.seal(bytes);
    }
    const found = [home.receive(bytes, nowMs), endpoint.receive(bytes, 512, nowMs)];
    // What was in order is heard, so that the next ones come further.
    for (const sample of samples.slice(1)) home.receive(sample, nowMs);
    return found.some((one) => one !== null) ? 'taken' : 'refused';
  };
}

/** A message whose text says something else, its length told right. */
function damagedText(draw: Draw, samples: readonly Uint8Array[]): Buffer {
  const message = Buffer.from(draw.oneOf(samples));
  const text = message
    .subarray(TEXT_AT, TEXT_AT + message.readUInt16BE(LENGTH_AT))
    .toString('utf8');
  const said = Buffer.from(damageJson(draw, [text]));
  message.fill(0, TEXT_AT);
  message.writeUInt16BE(said.length, LENGTH_AT);
  said.copy(message, TEXT_AT);
  return message;
}

/** A line in pieces, to methods that answer as they are asked. */
function fuzzLocalApi(): (draw: Draw) => Promise<Outcome> {
  const samples = [
    '{"method":"status"}',
    '{"method":"echo","value":[1,{"a":"b"}]}',
    '{"method":"audit","seconds":60,"extra":{"deep":[[[]]]}}',
  ];
  const methods = {
    status: () => ({ state: 'shaping' }),
    echo: ({ value }: Record<string, unknown>) => value,
    audit: ({ seconds }: Record<string, unknown>) => {
      if (typeof seconds !== 'number') throw new Error('seconds is a number');
    },
  };
  let connect: (connection: Connection) => void = () => {};
  const system = {
    files: { remove: async () => {}, setMode: async () => {} },
    sockets: {
      listen: async (_path: string, onConnection: typeof connect) => {
        connect = onConnection;
        return { close: async () => {} };
      },
    },
  } as unknown as System;
  const listening = serveLocalApi(system, '/api.sock', methods);
  return async (draw) => {
    await listening;
    const text = draw.below(8) === 0 ? noise(draw, 256) : Buffer.from(damageJson(draw, samples));
    const bytes = Buffer.concat([text, Buffer.from('\n')]);
    const cut = draw.below(bytes.length);
    const reply = await new Promise<string>((resolve) => {
      let hear: (piece: Uint8Array) => void = () => {};
      connect({
        write: (content) => resolve(String(content)),
        queuedBytes: 0,
        onData: (listener) => {
          hear = listener;
        },
        onClose: () => {},
        end: () => {},
        close: () => resolve('{"ok":false,"error":"closed"}\n'),
      });
      for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) hear(piece);
    });
    const { ok, error } = JSON.parse(reply) as { ok: boolean; error?: unknown };
    if (!ok && (typeof error !== 'string' || error === ''))
      throw new Error('refused without words');
    return ok ? 'taken' : 'refused';
  };
}

/** Lines that tc, ip and OpenVPN print, which a neighbour's packets or an endpoint's words may get into. */
function fuzzToolLines(): (draw: Draw) => Outcome {
  const samples = [read('fixtures/tc/endpoint.txt'), read('fixtures/tc/home.txt')];
  const said = [
    '>STATE:1700000000,CONNECTED,SUCCESS,10.213.0.2,192.0.2.1,1194,,',
    '>LOG:1700000000,W,TLS Error: TLS handshake failed',
    'CLIENT_LIST\thome.ab\t198.51.100.7:40123\t10.213.0.2\t\t1\t2\tnow\t1\tUNDEF\t7\t0\tAES-256-GCM',
    '[NEIGH]192.168.1.5 dev br-iot lladdr 00:11:22:33:44:55 REACHABLE',
    'Deleted [ROUTE]default via 192.168.1.1 dev wan table 7213',
    '[LINK]5: br-iot: <BROADCAST,MULTICAST,UP> mtu 1500 state UP',
  ];
  const dictionary = ['>', ':', ',', '[', ']', 'dev', 'table', 'class htb', 'qdisc', '-1', '\xff'];
  const listings = new TcListingReader();
  const troubles = new TroubleReader();
  return (draw) => {
    const lines = textOf(draw, draw.below(2) === 0 ? samples : said, dictionary).split('\n');
    let isTaken = false;
    for (const line of lines) {
      listings.push(line);
      isTaken = readMonitorLine(line, ['iotvpn0'], [7213, 7214]) !== null || isTaken;
      isTaken = parseManagementLine(line).kind !== 'other' || readClient(line) !== null || isTaken;
      troubles.hear(line);
    }
    const { classes, qdiscs } = listings.take();
    return isTaken || classes.length + qdiscs.length > 0 ? 'taken' : 'refused';
  };
}

function fuzzNetlink(): (draw: Draw) => Outcome {
  const samples = Object.values(netlinkSamples).map(bytesOfHex);
  return (draw) => {
    try {
      const { messages } = readMessages(bytesOf(draw, samples));
      const counted = readCounters(messages).size + readElements(messages, 'ipv6_addr').length;
      return readGeneration(messages) === null && counted === 0 ? 'refused' : 'taken';
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return 'refused';
    }
  };
}
