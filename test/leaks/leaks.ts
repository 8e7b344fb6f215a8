// Leaks planted in the running datapath, each as edits of the product's own sources: what an audit has to find.

/** Text of one source file in place of another. */
export interface Edit {
  file: string;
  /** Stands exactly once in the file. */
  from: string;
  to: string;
}

export interface Leak {
  name: string;
  /** What it does, for tables. */
  what: string;
  edits: readonly Edit[];
}

/** A device that was silent for so long and then speaks has something to tell: an event. */
const QUIET_MS = 1000;
const PAUSE_MS = 200;
/** A device is active for so long after each of its packets. */
const ACTIVE_MS = 500;

/** Only the home leaks: its upload has to be found out beside a clean download. Threads do not know their arguments. */
const IS_HOME = "!process.argv.includes('endpoint')";

/** Tells all threads of the process when a device begins and each time it goes on. */
const tellThreads: readonly Edit[] = [
  {
    file: 'src/shell/tunnel/frame-link.ts',
    from: '/** Frames that may stand in the kernel',
    to: `import { BroadcastChannel } from 'node:worker_threads';
const leakChannel = new BroadcastChannel('leak');
leakChannel.unref();
const heardMs = new Map<string, number>();
function noteActivity(device: string): boolean {
  if (!(${IS_HOME})) return false;
  const nowMs = performance.now();
  const begins = nowMs - (heardMs.get(device) ?? 0) > ${QUIET_MS};
  heardMs.set(device, nowMs);
  leakChannel.postMessage(begins ? 'begins' : 'goes on');
  return begins;
}
/** Frames that may stand in the kernel`,
  },
];

const listen = (react: string) => `import { BroadcastChannel } from 'node:worker_threads';
const leakChannel = new BroadcastChannel('leak') as any;
leakChannel.unref();
let untilMs = 0;
leakChannel.onmessage = ({ data }: { data: string }) => { ${react} };
`;

const enqueue = '  enqueue(key: string, packet: Uint8Array): void {\n';

const noted: Edit = {
  file: 'src/shell/tunnel/frame-link.ts',
  from: enqueue,
  to: `${enqueue}    noteActivity(key);\n`,
};

/** The five, in the order in which they were thought of. */
export const leaks: readonly Leak[] = [
  {
    name: 'own-class',
    what: 'device frames have an HTB class with a rate of its own beside the one of cover',
    edits: [
      {
        file: 'src/core/plan/tc.ts',
        from: '`qdisc add dev ${TUNNEL_NETDEV} parent ${id} handle ${handle} ${LEAF_KIND}`,',
        to: `...(slot.destination !== null
      ? [\`qdisc add dev \${TUNNEL_NETDEV} parent \${id} handle \${handle} \${LEAF_KIND}\`]
      : [['1:21', '1021:', 0], ['1:22', '1022:', 1]].flatMap(([leaf, queue, prio]) => {
          const full = classBytesPerSecond(slot.shape);
          const rate = \`rate \${full / 2}bps ceil \${full}bps burst 1 cburst 1 mpu \${slot.shape.packetBytes} prio \${prio}\`;
          return [
            \`class add dev \${TUNNEL_NETDEV} parent \${id} classid \${leaf} htb \${rate}\`,
            \`qdisc add dev \${TUNNEL_NETDEV} parent \${leaf} handle \${queue} \${LEAF_KIND}\`,
          ];
        })),`,
      },
      {
        file: 'src/core/plan/nft/nft-home.ts',
        from: "...frameRules(slot, 'meta protocol @alive'),",
        to: '`${slot} dport ${FRAME_PORT} meta protocol @alive meta priority set 1:21 accept`,',
      },
      {
        file: 'src/core/plan/nft/nft-home.ts',
        from: 'dport ${CONTROL_PORT} meta priority set 0:${FRAME_PRIORITY}',
        to: 'dport ${CONTROL_PORT} meta priority set 1:21',
      },
      {
        file: 'src/core/plan/nft/nft-home.ts',
        from: 'dport ${COVER_PORT} meta priority set 0:${COVER_PRIORITY}',
        to: 'dport ${COVER_PORT} meta priority set 1:22',
      },
      // The service itself would see it within a second.
      {
        file: 'src/core/home/verification.ts',
        from: '  const faults: Notice[] = [];\n  const wanted',
        to: '  const faults: Notice[] = [];\n  if (listing) return faults;\n  const wanted',
      },
    ],
  },
  {
    name: 'byte-short',
    what: 'one device frame in 50 is a byte short',
    edits: [
      {
        file: 'src/shell/tunnel/frame-link.ts',
        from: 'socket.send(frame, (error) => {',
        to: `const short = ${IS_HOME} && this.framesSent % 50 === 49;
    socket.send(short ? frame.subarray(0, frame.length - 1) : frame, (error) => {`,
      },
      // The rules would drop it.
      {
        file: 'src/core/plan/nft/nft-home.ts',
        from: 'ours && `${ours} ${config.main.packetBytes} udp`',
        to: 'ours && `${ours} <= ${config.main.packetBytes} udp`',
      },
    ],
  },
  {
    name: 'cover-pause',
    what: `cover pauses for ${PAUSE_MS} ms whenever a device begins`,
    edits: [
      ...tellThreads,
      noted,
      // Nothing stands ready that could hide the pause.
      { file: 'src/shell/shaper/cover.ts', from: 'const AHEAD_S = 2;', to: 'const AHEAD_S = 0;' },
      {
        file: 'src/shell/shaper/cover.ts',
        from: '/** Cover that is queued ahead',
        to: `${listen(`if (data === 'begins') untilMs = performance.now() + ${PAUSE_MS};`)}/** Cover that is queued ahead`,
      },
      {
        file: 'src/shell/shaper/cover.ts',
        from: '  #send(socket: UdpSocket): void {\n',
        to: `  #send(socket: UdpSocket): void {
    const pausedMs = untilMs - performance.now();
    if (pausedMs > 0) {
      setTimeout(() => this.#send(socket), pausedMs);
      return;
    }
`,
      },
    ],
  },
  {
    name: 'extra-slot',
    what: 'one datagram leaves off schedule whenever a device begins',
    edits: [
      ...tellThreads,
      {
        file: 'src/shell/tunnel/frame-link.ts',
        from: '/** Shortest and longest pause',
        to: "import { createSocket } from 'node:dgram';\n/** Shortest and longest pause",
      },
      {
        file: 'src/shell/tunnel/frame-link.ts',
        from: enqueue,
        to: `${enqueue}    if (noteActivity(key)) {
      const extra = createSocket('udp4');
      const datagram = new Uint8Array(this.#shape.packetBytes - 28);
      extra.bind(0, this.#options.local, () => {
        extra.send(datagram, 10, this.#options.peer, () => extra.close());
      });
    }
`,
      },
      {
        file: 'src/core/plan/tc.ts',
        from: 'direct_qlen 0`',
        to: 'direct_qlen 8`',
      },
      // 1:0 is the root's own handle: past every class (sch_htb.c, htb_classify).
      {
        file: 'src/core/plan/nft/nft-home.ts',
        from: '          `${slot} dport ${COVER_PORT} meta priority',
        to: '          `${slot} dport 10 meta priority set 1:0 accept`,\n          `${slot} dport ${COVER_PORT} meta priority',
      },
    ],
  },
  {
    name: 'sd-shrunk',
    what: 'intervals vary by a tenth less while a device is active',
    edits: [
      ...tellThreads,
      noted,
      {
        file: 'src/core/pacing/modes/vit.ts',
        from: '/** Farthest a draw lies',
        to: `${listen(`untilMs = performance.now() + ${ACTIVE_MS};`)}/** Farthest a draw lies`,
      },
      {
        file: 'src/core/pacing/modes/vit.ts',
        from: 'meanMs + scaleMs * z,',
        to: 'meanMs + (performance.now() < untilMs ? 0.9 : 1) * scaleMs * z,',
      },
    ],
  },
];
