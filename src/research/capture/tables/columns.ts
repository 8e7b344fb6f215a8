// Which column of a table is what: by its title, or as a user says.

/** What a table of packets or flows may tell, with the titles others give it. */
const titles = {
  time: [
    ...['time', 'times', 'time_s', 'timestamp', 'ts', 'epoch', 'stime', 'start', 'starttime'],
    ...['start_time', 'frame.time_epoch', 'frame.time_relative', 'first seen', 'date first seen'],
    ...['first', 'flow_start', 'flowstart', 'time_first', 'arrival time', 'arrival_time'],
  ],
  end: [
    'te',
    'end',
    'ltime',
    'endtime',
    'end_time',
    'last seen',
    'date last seen',
    'last',
    'flow_end',
  ],
  duration: ['td', 'duration', 'dur'],
  size: [
    ...['size', 'bytes', 'length', 'len', 'frame.len', 'ip.len', 'packet length', 'packet_length'],
    ...['pkt_len', 'ibyt', 'in_bytes', 'packet size', 'packet_size', 'byt', 'octets'],
  ],
  packets: ['packets', 'pkts', 'ipkt', 'in_pkts', 'pkt'],
  direction: ['direction', 'dir'],
  source: [
    ...['source', 'src', 'src_ip', 'srcip', 'ip.src', 'sa', 'srcaddr', 'source address', 'src ip'],
    ...['saddr', 'source_ip', 'source ip', 'src ip addr', 'ipv6.src'],
  ],
  destination: [
    ...['destination', 'dst', 'dst_ip', 'dstip', 'ip.dst', 'da', 'dstaddr', 'destination address'],
    ...['dst ip', 'daddr', 'destination_ip', 'destination ip', 'dst ip addr', 'dest', 'ipv6.dst'],
  ],
  'source-port': [
    ...['sp', 'src_port', 'srcport', 'sport', 'port.src', 'source port', 'source_port', 'src port'],
    ...['tcp.srcport', 'udp.srcport'],
  ],
  'destination-port': [
    ...['dp', 'dst_port', 'dstport', 'dport', 'port.dst', 'destination port', 'destination_port'],
    ...['dst port', 'tcp.dstport', 'udp.dstport'],
  ],
  'source-mac': ['eth.src', 'src_mac', 'smac', 'ismc', 'source mac'],
  'destination-mac': ['eth.dst', 'dst_mac', 'dmac', 'odmc', 'destination mac'],
  protocol: ['pr', 'proto', 'protocol', 'ip.proto', 'prot'],
} as const;

export type ColumnName = keyof typeof titles;
export const columnNames = Object.keys(titles) as ColumnName[];

/** Titles as a user gave them, or columns' numbers from 1. */
export type ColumnChoice = Partial<Record<ColumnName, string>>;

/** Reads `time=ts,size=len,direction=dir`; null where it is no such thing. */
export function parseColumns(text: string): ColumnChoice | null {
  const choice: ColumnChoice = {};
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const name = columnNames.find((one) => one === part.slice(0, at).trim().toLowerCase());
    const title = part.slice(at + 1).trim();
    if (at < 0 || !name || title === '') return null;
    choice[name] = title;
  }
  return choice;
}

/** Places of columns in a line of titles. */
export type ColumnPlaces = Partial<Record<ColumnName, number>>;

/** @returns what is wrong where a title that was asked for is not among them */
export function findColumns(
  fields: readonly string[],
  choice: ColumnChoice,
): ColumnPlaces | { missing: string } {
  const lower = fields.map((field) => field.toLowerCase());
  const places: ColumnPlaces = {};
  for (const name of columnNames) {
    const wanted = choice[name];
    let place = -1;
    if (wanted === undefined) {
      // The usual titles stand in the order of their likelihood, not of the table's columns.
      const title = titles[name].find((one) => lower.includes(one));
      if (title !== undefined) place = lower.indexOf(title);
    } else {
      place = lower.indexOf(wanted.toLowerCase());
      if (place < 0 && /^\d+$/.test(wanted)) place = Number(wanted) - 1;
      if (place < 0 || place >= fields.length) return { missing: wanted };
    }
    if (place >= 0) places[name] = place;
  }
  return places;
}
