// What the kernel's traffic control answers by netlink: other rates and limits, and lists of classes and qdiscs.
import {
  attributeOf,
  CREATE,
  encodeAttribute,
  encodeMessage,
  encodeName,
  join,
  type NetlinkMessage,
  readMessages,
  readName,
  viewOf,
} from '../../../src/core/netlink/netlink.ts';
import {
  HTB_PARAMETERS,
  handleNumber,
  RTM,
  STATS,
  TCA,
} from '../../../src/core/netlink/tc-messages.ts';
import type { IpModel, Netdev } from './ip-model.ts';
import { backlogOf, type NetdevQueue, type QueueClass } from './netdev-queue.ts';
import { answerError, ENODEV, ENOENT, endOfDump, MULTI } from './netlink-answers.ts';
import type { ProgramStart } from './processes.ts';
import type { TcModel } from './tc-model.ts';

const FAMILY_BYTES = 20;
const ROOT = 0xffffffff;

/** `socat -b … - SOCKET-SENDTO:16:3:0:…` */
export function createRouteSocket(tc: TcModel, ip: IpModel): ProgramStart {
  return (argv, life) => {
    if (argv[0] !== 'socat' || !argv[4]?.startsWith('SOCKET-SENDTO:16:3:0:')) return null;
    return {
      onBytes: (bytes) => {
        const { messages, rest } = readMessages(bytes);
        if (rest.length > 0) throw new Error('a message in two pieces');
        const answer = join(messages.flatMap((message) => answerTo(tc, ip, message)));
        if (answer.length > 0) life.print(answer);
      },
      onInputEnd: () => life.exit(0),
    };
  };
}

function answerTo(tc: TcModel, ip: IpModel, message: NetlinkMessage): Uint8Array[] {
  const { type, payload } = message;
  // Passed over, as the kernel does.
  if (type < 16) return [];
  const view = viewOf(payload);
  const found = [...ip.netdevs.values()].find(({ index }) => index === view.getInt32(4, true));
  switch (type) {
    case RTM.newClass:
      return refusal(message, found ? setClass(tc.queueOf(found.name)!, message) : ENODEV);
    case RTM.deleteClass:
      return refusal(message, found ? deleteClass(tc.queueOf(found.name)!, view) : ENODEV);
    case RTM.newQdisc:
      return refusal(message, found ? setLeaf(tc.queueOf(found.name)!, message) : ENODEV);
    case RTM.getClass:
      return dump(message, found ? classesOf(tc.queueOf(found.name)!, found) : []);
    case RTM.getQdisc:
      return dump(
        message,
        [...ip.netdevs.values()].flatMap((netdev) => qdiscsOf(tc.queueOf(netdev.name)!, netdev)),
      );
    default:
      throw new Error(`a netlink message of type ${type}`);
  }
}

/** 0, or a negative error number. */
function setClass(queue: NetdevQueue, { flags, payload }: NetlinkMessage): number {
  const view = viewOf(payload);
  const minor = view.getUint32(8, true) & 0xffff;
  const parent = view.getUint32(12, true);
  const within = queue.classes.get(parent & 0xffff) ?? null;
  const isThere = within !== null || handleNumber(queue.root.handle) === parent;
  if (!queue.isHtb || !isThere) return ENOENT;
  const options = attributeOf(payload.subarray(FAMILY_BYTES), TCA.options)!;
  const parameters = viewOf(attributeOf(options, HTB_PARAMETERS)!);
  const bytesPerSecond = parameters.getUint32(8, true);
  const leastBytes = parameters.getUint16(6, true);
  const known = queue.classes.get(minor);
  if (known) queue.changeClass(known, bytesPerSecond, leastBytes);
  else if ((flags & CREATE) === 0) return ENOENT;
  else queue.addClass(minor, bytesPerSecond, leastBytes, within);
  return 0;
}

function deleteClass(queue: NetdevQueue, view: DataView): number {
  const known = queue.classes.get(view.getUint32(8, true) & 0xffff);
  if (!known) return ENOENT;
  queue.removeClass(known);
  return 0;
}

function setLeaf(queue: NetdevQueue, { flags, payload }: NetlinkMessage): number {
  const view = viewOf(payload);
  const handle = view.getUint32(8, true);
  const one = queue.classes.get(view.getUint32(12, true) & 0xffff);
  if (one?.leaf && handleNumber(one.leaf.handle) === handle) return 0;
  if (!one || (flags & CREATE) === 0) return ENOENT;
  const kind = readName(attributeOf(payload.subarray(FAMILY_BYTES), TCA.kind));
  one.leaf = { kind, handle: `${(handle >>> 16).toString(16)}:`, limit: 10_000 };
  return 0;
}

function classesOf(queue: NetdevQueue, { index }: Netdev): [number, Uint8Array][] {
  queue.settle();
  const root = handleNumber(queue.root.handle);
  return [...queue.classes.values()].map((one) => [
    RTM.newClass,
    join([
      family(index, root + one.minor, ROOT, one.leaf ? handleNumber(one.leaf.handle) : 0),
      encodeName(TCA.kind, 'htb'),
      encodeAttribute(TCA.stats2, countsOf(one)),
    ]),
  ]);
}

function countsOf(one: QueueClass): Uint8Array {
  const basic = new Uint8Array(12);
  viewOf(basic).setBigUint64(0, BigInt(one.bytes), true);
  viewOf(basic).setUint32(8, one.packets, true);
  const queue = new Uint8Array(20);
  viewOf(queue).setUint32(0, backlogOf(one), true);
  return join([encodeAttribute(STATS.basic, basic), encodeAttribute(STATS.queue, queue)]);
}

function qdiscsOf(queue: NetdevQueue, { index }: Netdev): [number, Uint8Array][] {
  const root = handleNumber(queue.root.handle);
  const qdisc = (kind: string, handle: number, parent: number): [number, Uint8Array] => [
    RTM.newQdisc,
    join([family(index, handle, parent, 1), encodeName(TCA.kind, kind)]),
  ];
  const leaves = [...queue.classes.values()].flatMap(({ minor, leaf }) =>
    leaf ? [qdisc(leaf.kind, handleNumber(leaf.handle), root + minor)] : [],
  );
  return [qdisc(queue.root.kind, root, ROOT), ...leaves];
}

function family(index: number, handle: number, parent: number, info: number): Uint8Array {
  const bytes = new Uint8Array(FAMILY_BYTES);
  for (const [at, value] of [index, handle, parent, info].entries()) {
    viewOf(bytes).setUint32(4 + 4 * at, value, true);
  }
  return bytes;
}

/** Nobody asked to be told that it went well. */
function refusal(message: NetlinkMessage, error: number): Uint8Array[] {
  return error === 0 ? [] : [answerError(message, error)];
}

function dump(
  question: NetlinkMessage,
  listed: readonly [type: number, payload: Uint8Array][],
): Uint8Array[] {
  const { sequence } = question;
  return [
    ...listed.map(([type, payload]) => encodeMessage({ type, flags: MULTI, sequence, payload })),
    endOfDump(question),
  ];
}
