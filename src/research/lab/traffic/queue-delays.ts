// How long each replayed packet waited for its slot: from where it enters the packer to where its last byte leaves the queue.
import { join } from 'node:path';
import { decodePacket } from '../../../core/capture/decode.ts';
import { linkTypes } from '../../../core/capture/link-layer.ts';
import { Unpacker } from '../../../core/framing/unpacker.ts';
import { CONTROL_PORT, FRAME_PORT, TUNNEL_NETDEV } from '../../../core/plan/names.ts';
import { INNER_NETDEV } from '../../../core/plan/nft/nft-endpoint.ts';
import { type CapturedPacket, openCapture } from '../../../shell/capture/reader.ts';
import { nodeSystem } from '../../../shell/system/node/node-system.ts';
import { type Capture, startCapture } from '../bed/capture.ts';
import { lab } from '../bed/topology.ts';
import type { Direction } from '../findings/observation.ts';
import type { VariantContext } from '../variants/variant.ts';

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
      }),
    );
  }
  return captures;
}

/** What one direction's queue did with the replayed packets. */
export interface QueueRecord {
  /** Packets that entered, in the order of time. */
  arrivals: { timeMs: number; bytes: number }[];
  /** From entering until the last byte left, of those that left; in the order of leaving. */
  waitsMs: number[];
  /** All departures but those of control packets, cover among them: the slots as devices had them. */
  slotsMs: number[];
}

/**
 * Reads back what {@link captureQueues} left; times are ms since the first packet entered.
 * @throws CaptureError where the run has no such captures
 */
export async function readQueue(out: string, direction: Direction): Promise<QueueRecord> {
  const { entered, left } = captureFiles(out, direction);
  const arrivals: QueueRecord['arrivals'] = [];
  const arrivedMs = new Map<number, number>();
  let firstS: number | null = null;
  for await (const packet of openCapture(nodeSystem, entered)) {
    const id = replayId(packet);
    if (id === null || arrivedMs.has(id)) continue;
    firstS ??= packet.timeS;
    const timeMs = (packet.timeS - firstS) * 1000;
    arrivedMs.set(id, timeMs);
    arrivals.push({ timeMs, bytes: packet.originalBytes });
  }
  const waitsMs: number[] = [];
  const slotsMs: number[] = [];
  const unpacker = new Unpacker();
  for await (const captured of openCapture(nodeSystem, left)) {
    const timeMs = (captured.timeS - (firstS ?? captured.timeS)) * 1000;
    const slot = decodePacket(captured);
    if (slot?.destinationPort !== CONTROL_PORT) slotsMs.push(timeMs);
    if (slot?.destinationPort !== FRAME_PORT) continue;
    for (const data of unpacker.push(slot.payload, timeMs)) {
      const inner = { ...captured, data, linkType: linkTypes.raw, originalBytes: data.length };
      const beganMs = arrivedMs.get(replayId(inner) ?? 0);
      if (beganMs !== undefined) waitsMs.push(timeMs - beganMs);
    }
  }
  return { arrivals, waitsMs, slotsMs };
}

/** The number of a replayed packet; null for anything else, as the pings by which an endpoint asks who is there. */
function replayId(packet: CapturedPacket): number | null {
  const decoded = decodePacket(packet);
  if (!decoded || decoded.payload.length < 4) return null;
  const { sourcePort, destinationPort, payload } = decoded;
  if (sourcePort !== lab.replayPort && destinationPort !== lab.replayPort) return null;
  // 0 opens the way through the NAT.
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0) || null;
}
