// How long each replayed packet waited for its slot: from where it enters the packer to where its last byte leaves the queue.
import { join } from 'node:path';
import { decodePacket, linkTypes } from '../capture/decode.ts';
import { type CapturedPacket, openCapture } from '../capture/reader.ts';
import { Unpacker } from '../framing/unpacker.ts';
import { FRAME_PORT, TUNNEL_NETDEV } from '../plan/names.ts';
import { INNER_NETDEV } from '../plan/nft-endpoint.ts';
import { type Capture, startCapture } from './capture.ts';
import type { Direction } from './observation.ts';
import { lab } from './topology.ts';
import type { VariantContext } from './variants/variant.ts';

const directions: readonly Direction[] = ['up', 'down'];
/** A frame whole. */
const SNAP_BYTES = 1500;

/** Files of a run: what goes into the packer of each direction, and what leaves its queue. */
function captureFiles(out: string, direction: Direction): { entered: string; left: string } {
  return {
    entered: join(out, `queue-${direction}-in.pcap`),
    left: join(out, `queue-${direction}-out.pcap`),
  };
}

/** Captures both ends' netdevs before and behind the queue, once the service has made them. */
export async function captureQueues({
  topology,
  options,
  logFolder,
  signal,
  cleanup,
}: VariantContext): Promise<Capture[]> {
  const captures: Capture[] = [];
  for (const direction of directions) {
    const netns = topology.names[direction === 'up' ? 'router' : 'endpoint'];
    const { entered, left } = captureFiles(options.out, direction);
    const common = { netns, snapBytes: SNAP_BYTES, outgoing: true, signal, cleanup };
    captures.push(
      await startCapture({
        ...common,
        netdev: INNER_NETDEV,
        path: entered,
        logPath: join(logFolder, `tcpdump-queue-${direction}-in.log`),
        filter: `udp port ${lab.replayPort}`,
      }),
      await startCapture({
        ...common,
        netdev: TUNNEL_NETDEV,
        path: left,
        logPath: join(logFolder, `tcpdump-queue-${direction}-out.log`),
        filter: `udp dst port ${FRAME_PORT}`,
      }),
    );
  }
  return captures;
}

/**
 * Delays of the replayed packets of one direction that left, ascending, ms.
 * @throws CaptureError where the run has no such captures
 */
export async function readQueueDelays(out: string, direction: Direction): Promise<number[]> {
  const { entered, left } = captureFiles(out, direction);
  const arrivalS = new Map<number, number>();
  for await (const packet of openCapture(entered)) {
    const id = replayId(packet);
    if (id !== null && !arrivalS.has(id)) arrivalS.set(id, packet.timeS);
  }
  const delays: number[] = [];
  const unpacker = new Unpacker();
  for await (const captured of openCapture(left)) {
    const frame = decodePacket(captured);
    if (!frame) continue;
    for (const data of unpacker.push(frame.payload, captured.timeS * 1000)) {
      const inner = { ...captured, data, linkType: linkTypes.raw, originalBytes: data.length };
      const beganS = arrivalS.get(replayId(inner) ?? 0);
      if (beganS !== undefined) delays.push((captured.timeS - beganS) * 1000);
    }
  }
  return delays.sort((a, b) => a - b);
}

/** The number of a replayed packet; null for anything else. */
function replayId(packet: CapturedPacket): number | null {
  const payload = decodePacket(packet)?.payload;
  if (!payload || payload.length < 4) return null;
  // 0 opens the way through the NAT.
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0) || null;
}
