// Sockets by whose send buffers the kernel can hold many datagrams at once.
import type { System, UdpOptions, UdpSocket } from '../system/system.ts';

/** What the kernel adds to a datagram's memory: its sk_buff and skb_shared_info (skbuff.h, SKB_TRUESIZE). */
const SKB_BYTES = 256;
const SKB_TAIL_BYTES = 352;
/** More than any system lets a send buffer have. */
export const MOST_BYTES = 0x3fffffff;

/** Memory one queued datagram is charged for: its head is rounded up to a power of two. */
export function chargedBytes(packetBytes: number): number {
  return 2 ** Math.ceil(Math.log2(packetBytes + SKB_TAIL_BYTES)) + SKB_BYTES;
}

/**
 * Opens as many as it takes to have so many datagrams queued, within the system's largest send buffer.
 *
 * @throws {SystemError} of one that can't be opened; none is left open then.
 */
export async function openBuffered(
  { sockets }: Pick<System, 'sockets'>,
  end: Pick<UdpOptions, 'local' | 'peer'>,
  packets: number,
  eachBytes: number,
): Promise<{ sockets: UdpSocket[]; capacity: number }> {
  const opened: UdpSocket[] = [];
  let capacity = 0;
  try {
    while (capacity < packets) {
      const socket = await sockets.openUdp(end);
      opened.push(socket);
      // The kernel doubles what is asked for, and reads back the doubled figure.
      socket.setSendBuffer(Math.min(((packets - capacity) * eachBytes) / 2, MOST_BYTES));
      capacity += Math.ceil(socket.sendBufferBytes() / eachBytes);
    }
  } catch (error) {
    for (const socket of opened) socket.close();
    throw error;
  }
  return { sockets: opened, capacity };
}
