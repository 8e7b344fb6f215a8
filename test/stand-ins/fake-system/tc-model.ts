// The `tc` lines that the program gives, on the queues of the stand-in machine, with what tc answers.
import { type Ended, failed, printed } from './ip-command.ts';
import type { IpModel, Netdev } from './ip-model.ts';
import { NetdevQueue } from './netdev-queue.ts';
import { NotUnderstood } from './nft-text.ts';
import type { VirtualTime } from './virtual-time.ts';

const DONE = printed('');
const PRIORITY_MAP = 'bands 3 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1';
/** `ldb [19 of the IP header]; or #0x10000; ret a` */
const CLASS_BY_ADDRESS = '3,48 0 0 4293918739,68 0 0 65536,22 0 0 0';
const NO_QDISC = failed(
  2,
  "Error: Parent Qdisc doesn't exists.\nWe have an error talking to the kernel",
);
const NO_FILE = failed(2, 'RTNETLINK answers: No such file or directory');

/** The queues of all netdevs. */
export class TcModel {
  readonly #ip: IpModel;
  readonly #time: VirtualTime;
  readonly #queues = new Map<Netdev, NetdevQueue>();
  /** Goes up with every change of structure. */
  version = 0;

  constructor(ip: IpModel, time: VirtualTime) {
    this.#ip = ip;
    this.#time = time;
    ip.onRemoved.push((netdev) => {
      this.#queues.get(netdev)?.close();
      this.#queues.delete(netdev);
    });
    ip.onEmptied.push((netdev) => this.#queues.get(netdev)?.empty());
  }

  queueOf(name: string): NetdevQueue | null {
    const netdev = this.#ip.netdevs.get(name);
    if (!netdev) return null;
    const queue = this.#queues.get(netdev) ?? new NetdevQueue(this.#time);
    this.#queues.set(netdev, queue);
    return queue;
  }

  /** `tc -batch -`: stops at the first line that fails, and keeps what came before; with `-force` it goes on. */
  runBatch(input: string, goesOn = false): Ended {
    let first: Ended | null = null;
    const lines = input.split('\n').filter((line) => line.trim() !== '');
    for (const [index, line] of lines.entries()) {
      const { status, stderr } = this.run(line.split(' '));
      if (status === 0) continue;
      first ??= failed(1, `${stderr}\nCommand failed -:${index + 1}`);
      if (!goesOn) return first;
    }
    return first ?? DONE;
  }

  /**
   * One line.
   *
   * @throws {NotUnderstood}
   */
  run(words: readonly string[]): Ended {
    const name = words[words.indexOf('dev') + 1]!;
    const queue = this.queueOf(name);
    if (!queue) return failed(1, `Cannot find device "${name}"`);
    queue.settle();
    const line = words.join(' ');
    const [object, verb] = words;
    const act = this.#actions[`${object} ${verb}`];
    if (!act) throw new NotUnderstood(`tc ${line}`);
    const ended = act(queue, line, this.#ip.netdevs.get(name)!);
    if (verb !== 'show') this.version++;
    return ended;
  }

  /** All that is not the kernel's own, as tc lists it without counts. */
  print(): string {
    return [...this.#ip.netdevs.keys()]
      .flatMap((name) => {
        const queue = this.queueOf(name)!;
        if (queue.root.handle === '0:') return [];
        return [`${name}:`, listQdiscs(queue), listClasses(queue)];
      })
      .join('\n');
  }

  readonly #actions: Record<string, (queue: NetdevQueue, line: string, netdev: Netdev) => Ended> = {
    'qdisc add': (queue, line, { queuePackets }) => {
      const root =
        /root handle (\S+) (?:stab overhead -(\d+) linklayer ethernet )?htb default (\w+) direct_qlen 0$/.exec(
          line,
        );
      if (root) {
        if (queue.root.handle !== '0:') {
          return failed(2, 'Error: Exclusivity flag on, cannot modify.');
        }
        queue.setRoot('htb', root[1]!, Number.parseInt(root[3]!, 16));
        queue.offBytes = Number(root[2] ?? 0);
        queue.isTampered = false;
        return DONE;
      }
      const leaf = /parent \d:(\w+) handle (\S+) (pfifo_fast|pfifo)(?: limit \d+)?$/.exec(line);
      if (!leaf) throw new NotUnderstood(`tc ${line}`);
      const parent = queue.classes.get(Number.parseInt(leaf[1]!, 16));
      if (!parent) return failed(2, 'Error: Specified class not found.');
      parent.leaf = { kind: leaf[3]!, handle: leaf[2]!, limit: queuePackets };
      return DONE;
    },
    'qdisc del': (queue, line) => {
      if (!/ root$/.test(line)) throw new NotUnderstood(`tc ${line}`);
      if (queue.root.handle === '0:') {
        return failed(2, 'Error: Cannot delete qdisc with handle of zero.');
      }
      queue.setRoot('pfifo_fast', '0:');
      return DONE;
    },
    'qdisc show': (queue) => printed(listQdiscs(queue)),
    'class add': (queue, line) => {
      const { minor, within, bytesPerSecond, leastBytes } = readClass(line);
      if (!queue.isHtb) return NO_FILE;
      const parent = queue.classes.get(within) ?? null;
      if (within !== 0 && parent === null) return NO_FILE;
      if (queue.classes.has(minor)) return failed(2, 'RTNETLINK answers: File exists');
      queue.addClass(minor, bytesPerSecond, leastBytes, parent);
      return DONE;
    },
    'class del': (queue, line) => {
      const minor = Number.parseInt(/classid \d:(\w+)$/.exec(line)?.[1] ?? '', 16);
      const known = queue.classes.get(minor);
      if (!known) return NO_FILE;
      queue.removeClass(known);
      return DONE;
    },
    'class show': (queue) => printed(listClasses(queue)),
    'filter replace': (queue, line) => {
      if (!line.endsWith(` protocol ip prio 1 handle 1 bpf bytecode '${CLASS_BY_ADDRESS}'`))
        throw new NotUnderstood(`tc ${line}`);
      if (!queue.isHtb) return NO_QDISC;
      queue.isByAddress = true;
      return DONE;
    },
  };
}

interface ReadClass {
  minor: number;
  /** Minor of the class that it is in; 0 for the root. */
  within: number;
  bytesPerSecond: number;
  leastBytes: number;
}

function readClass(line: string): ReadClass {
  // The ceiling holds back nothing that goes as it is drawn.
  const pattern =
    /parent \d:(\w*) classid \d:(\w+) htb rate (\d+)bps ceil \d+bps burst \d+ cburst \d+ mpu (\d+)(?: quantum 1)?$/;
  const [, within = '', minor, rate, mpu] = pattern.exec(line) ?? [];
  if (minor === undefined) throw new NotUnderstood(`tc ${line}`);
  return {
    minor: Number.parseInt(minor, 16),
    within: Number.parseInt(within, 16) || 0,
    bytesPerSecond: Number(rate),
    leastBytes: Number(mpu),
  };
}

const hex = (value: number): string => value.toString(16);

/** As tc prints it: in the largest unit that leaves no rest. */
function printRate(bytesPerSecond: number): string {
  let value = bytesPerSecond * 8;
  let unit = '';
  for (const next of ['K', 'M', 'G']) {
    if (value < 1000 || (value % 1000 !== 0 && value < 1_000_000)) break;
    value /= 1000;
    unit = next;
  }
  return `${Math.round(value)}${unit}bit`;
}

function listClasses(queue: NetdevQueue): string {
  return [...queue.classes.values()]
    .map((one) => {
      const leaf = one.leaf ? ` leaf ${one.leaf.handle}` : '';
      const rate = printRate(one.bytesPerSecond);
      const burst = Math.max(1, Math.round(one.bytesPerSecond / 4000));
      const { handle } = queue.root;
      const where = one.parent ? `parent ${handle}${hex(one.parent.minor)}` : 'root';
      const head = `class htb ${handle}${hex(one.minor)} ${where}${leaf} prio 0 rate ${rate} ceil ${rate} burst ${burst}b cburst ${burst}b `;
      return `${head}\n`;
    })
    .join('');
}

function listQdiscs(queue: NetdevQueue): string {
  const { root, classes } = queue;
  const all = [...classes.values()];
  const what = queue.isHtb
    ? `r2q 10 default 0x${hex(root.defaultMinor)} direct_packets_stat 0 direct_qlen 0`
    : PRIORITY_MAP;
  const lines = [`qdisc ${root.kind} ${root.handle} root refcnt 2 ${what}`];
  for (const one of all) {
    if (!one.leaf) continue;
    const { kind, handle } = one.leaf;
    const which = kind === 'pfifo' ? 'limit 6p' : PRIORITY_MAP;
    lines.push(`qdisc ${kind} ${handle} parent ${root.handle}${hex(one.minor)} ${which}`);
  }
  return `${lines.join('\n')}\n`;
}
