// What tshark says of a capture's packets, in the words of our reader.
import { execFileSync } from 'node:child_process';

/** What is compared of each packet. */
export interface PacketFacts {
  timeS: string;
  etherSource: string;
  source: string;
  destination: string;
  protocol: string;
  ports: string;
  ipBytes: string;
}

const fields = [
  ...['frame.time_epoch', 'eth.src', 'wlan.sa', 'sll.src.eth'],
  ...['ip.src', 'ip.dst', 'ip.proto', 'ip.len'],
  ...['ipv6.src', 'ipv6.dst', 'ipv6.nxt', 'ipv6.plen', 'ipv6.hopopts.nxt'],
  ...['udp.srcport', 'udp.dstport', 'tcp.srcport', 'tcp.dstport'],
] as const;

/** @throws where tshark is missing or ends badly */
export function askTshark(path: string): PacketFacts[] {
  // Ports of no service's keep it from looking into payloads; fragments stay as they came.
  const argv = [
    '-n',
    '-r',
    path,
    '-T',
    'fields',
    '-E',
    'occurrence=f',
    '-o',
    'ip.defragment:FALSE',
  ];
  const text = execFileSync('tshark', [...argv, ...fields.flatMap((name) => ['-e', name])], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const values = line.split('\t');
      const of = (name: (typeof fields)[number]) => values[fields.indexOf(name)] ?? '';
      const isV6 = of('ipv6.src') !== '';
      return {
        timeS: Number(of('frame.time_epoch')).toFixed(6),
        etherSource: of('eth.src') || of('wlan.sa') || of('sll.src.eth'),
        source: of('ip.src') || of('ipv6.src'),
        destination: of('ip.dst') || of('ipv6.dst'),
        protocol: isV6 ? of('ipv6.hopopts.nxt') || of('ipv6.nxt') : of('ip.proto'),
        ports: [
          of('udp.srcport') || of('tcp.srcport'),
          of('udp.dstport') || of('tcp.dstport'),
        ].join(' '),
        ipBytes: isV6 ? String(Number(of('ipv6.plen')) + 40) : of('ip.len'),
      };
    });
}
