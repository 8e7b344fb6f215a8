// Writes pcap files with nanosecond times.

/** What goes into a record; `originalBytes` defaults to the length of `data`. */
export interface PacketToWrite {
  timeS: number;
  data: Uint8Array;
  originalBytes?: number;
}

/** The file header of a little-endian pcap with nanosecond times; `linkType` as in `linkTypes`. */
export function encodePcapHeader(linkType: number, snapBytes = 262_144): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  view.setUint32(0, 0xa1b23c4d, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, snapBytes, true);
  view.setUint32(20, linkType, true);
  return new Uint8Array(view.buffer);
}

/** One packet's record, header and bytes, for a file that begins with `encodePcapHeader`'s. */
export function encodePcapRecord({ timeS, data, originalBytes }: PacketToWrite): Uint8Array {
  const record = new Uint8Array(16 + data.length);
  const view = new DataView(record.buffer);
  let seconds = Math.floor(timeS);
  let nanoseconds = Math.round((timeS - seconds) * 1e9);
  if (nanoseconds === 1e9) {
    seconds++;
    nanoseconds = 0;
  }
  view.setUint32(0, seconds, true);
  view.setUint32(4, nanoseconds, true);
  view.setUint32(8, data.length, true);
  view.setUint32(12, originalBytes ?? data.length, true);
  record.set(data, 16);
  return record;
}

/** A whole capture in memory. */
export function encodeCapture(linkType: number, packets: Iterable<PacketToWrite>): Uint8Array {
  return Buffer.concat([encodePcapHeader(linkType), ...Array.from(packets, encodePcapRecord)]);
}
