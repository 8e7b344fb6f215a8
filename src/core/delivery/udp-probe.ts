// A datagram of our own by which a machine is tried: it is counted and goes no further.
import { addressBytes } from '../ip/address.ts';
import { checksum } from './probe-packets.ts';

const UDP = 17;
const UDP_HEADER_BYTES = 8;

/** Where a packet goes from and to. */
export interface ProbeWay {
  source: string;
  destination: string;
  port: number;
}

/** An empty UDP datagram in an IP packet, by the family of its addresses. */
export function encodeDatagram({ source, destination, port }: ProbeWay): Uint8Array {
  const [from, to] = [addressBytes(source), addressBytes(destination)];
  const packet = from.length === 4 ? header4(from, to) : header6(from, to);
  const udp = packet.length - UDP_HEADER_BYTES;
  const fields = new DataView(packet.buffer);
  fields.setUint16(udp, port);
  fields.setUint16(udp + 2, port);
  fields.setUint16(udp + 4, UDP_HEADER_BYTES);
  // Over IPv4 it may be left out (RFC 768); over IPv6 it may not (RFC 8200, 8.1).
  if (from.length === 16) {
    const pseudo = [...from, ...to, 0, 0, 0, UDP_HEADER_BYTES, 0, 0, 0, UDP];
    const whole = Uint8Array.from([...pseudo, ...packet.subarray(udp)]);
    fields.setUint16(udp + 6, checksum(whole) || 0xffff);
  }
  return packet;
}

function header4(from: Uint8Array, to: Uint8Array): Uint8Array {
  const packet = new Uint8Array(20 + UDP_HEADER_BYTES);
  packet.set([0x45, 0, 0, packet.length, 0, 0, 0, 0, 64, UDP]);
  packet.set(from, 12);
  packet.set(to, 16);
  new DataView(packet.buffer).setUint16(10, checksum(packet.subarray(0, 20)));
  return packet;
}

function header6(from: Uint8Array, to: Uint8Array): Uint8Array {
  const packet = new Uint8Array(40 + UDP_HEADER_BYTES);
  packet.set([0x60, 0, 0, 0, 0, UDP_HEADER_BYTES, UDP, 64]);
  packet.set(from, 8);
  packet.set(to, 24);
  return packet;
}
