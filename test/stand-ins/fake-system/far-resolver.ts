// What the endpoint's own address inside answers to a home's packets: an echo, and questions for names.
import { ipDestination, readIpHeader } from '../../../src/core/framing/ip-packet.ts';

const ICMP = 1;
const ECHO = 8;
const UDP = 17;
const DNS_PORT = 53;

/** The answer to an IPv4 packet for this address; null where it gets none. Checksums are nobody's concern here. */
export function answerTo(packet: Uint8Array, address: string): Uint8Array | null {
  const header = readIpHeader(packet);
  if (header?.version !== 4 || ipDestination(packet) !== address) return null;
  const answer = packet.slice();
  const swap = (at: number, other: number, bytes: number): void => {
    answer.set(packet.subarray(at, at + bytes), other);
    answer.set(packet.subarray(other, other + bytes), at);
  };
  swap(12, 16, 4);
  const body = header.headerBytes;
  if (packet[9] === ICMP && packet[body] === ECHO) {
    answer[body] = 0;
    return answer;
  }
  const view = new DataView(answer.buffer);
  if (packet[9] !== UDP || view.getUint16(body + 2) !== DNS_PORT) return null;
  swap(body, body + 2, 2);
  // An answer, without an error.
  view.setUint16(body + 10, 0x8180);
  return answer;
}
