// Turns a real capture into what both sides of the lab have to send, and when. Pure but for the reading.

import { type Decoded, decodePacket } from '../../../core/capture/decode.ts';
import { directionFor } from '../../../core/capture/trace.ts';
import type { CapturedPacket } from '../../../shell/capture/reader.ts';
import { LabError } from '../error.ts';

/** One datagram to send. */
export interface ReplayPacket {
  /** Number in the replay, the same in both sides' logs. */
  id: number;
  atS: number;
  /** Length of the whole IP packet. */
  ipBytes: number;
  direction: 'up' | 'down';
}

/** A UDP datagram over IPv4 with the packet's number inside is no shorter. */
const MIN_REPLAY_BYTES = 32;
const MAX_IP_BYTES = 1500;

export interface ReplayOptions {
  /** MAC (lower case) or IP address of the device. */
  device: string;
  durationS: number;
  /** Seconds into the capture where the replay begins; null takes the stretch with most bytes. */
  offsetS: number | null;
  /** What errors call the capture. */
  name: string;
}

export interface Replay {
  packets: ReplayPacket[];
  /** Where in the capture it begins. */
  offsetS: number;
  /** Packets shorter than {@link MIN_REPLAY_BYTES}, made that long. */
  lengthened: number;
  /** Packets longer than a link's MTU (the capturing machine's offload), cut. */
  cut: number;
}

/**
 * Plans the replay of one device's traffic: each captured packet becomes a datagram of the same IP length. What the
 * device said to others in its own home then goes over the Internet too: a camera's stream to a phone beside it is what
 * its stream to a phone far away would be. Only multicast and broadcast are left out: no router passes them on.
 * @throws {LabError} where the capture holds no packet of the device, or none in the stretch asked for
 */
export async function planReplay(
  packets: AsyncIterable<CapturedPacket>,
  { device, durationS, offsetS, name }: ReplayOptions,
): Promise<Replay> {
  const selection = device.includes('.') ? { ip: device } : { mac: device };
  const found: { timeS: number; bytes: number; direction: 'up' | 'down' }[] = [];
  let firstS = Number.POSITIVE_INFINITY;
  for await (const packet of packets) {
    const decoded = decodePacket(packet);
    if (!decoded) continue;
    firstS = Math.min(firstS, packet.timeS);
    const direction = directionFor(decoded, selection);
    if (direction === null || isToMany(decoded)) continue;
    found.push({ timeS: packet.timeS, bytes: decoded.ipBytes, direction });
  }
  if (found.length === 0) {
    throw new LabError(
      `--device ${device}: ${name} has no packet of it; give the MAC or address of a device in it`,
    );
  }
  found.sort((a, b) => a.timeS - b.timeS);
  const startS = offsetS === null ? busiestStart(found, durationS) : firstS + offsetS;
  const replay: Replay = { packets: [], offsetS: startS - firstS, lengthened: 0, cut: 0 };
  for (const { timeS, bytes, direction } of found) {
    const atS = timeS - startS;
    if (atS < 0 || atS >= durationS) continue;
    if (bytes < MIN_REPLAY_BYTES) replay.lengthened++;
    if (bytes > MAX_IP_BYTES) replay.cut++;
    for (let left = bytes; left > 0; left -= MAX_IP_BYTES) {
      const ipBytes = Math.max(Math.min(left, MAX_IP_BYTES), MIN_REPLAY_BYTES);
      replay.packets.push({ id: replay.packets.length + 1, atS, ipBytes, direction });
    }
  }
  if (replay.packets.length === 0) {
    throw new LabError(
      `--offset ${offsetS}: ${name} has no packet of ${device} in the ${durationS} s after it`,
    );
  }
  return replay;
}

function isToMany({ destination, etherDestination }: Decoded): boolean {
  const group =
    etherDestination !== null && (Number.parseInt(etherDestination.slice(0, 2), 16) & 1) === 1;
  const firstByte = Number.parseInt(destination, 10);
  return group || destination.startsWith('ff') || (destination.includes('.') && firstByte >= 224);
}

/** Where a window of `durationS` holds most bytes; a little before its first packet. */
function busiestStart(found: { timeS: number; bytes: number }[], durationS: number): number {
  let best = { startS: found[0]!.timeS, bytes: -1 };
  let bytes = 0;
  let last = 0;
  for (let first = 0; first < found.length; first++) {
    while (last < found.length && found[last]!.timeS < found[first]!.timeS + durationS) {
      bytes += found[last++]!.bytes;
    }
    if (bytes > best.bytes) best = { startS: found[first]!.timeS, bytes };
    bytes -= found[first]!.bytes;
  }
  return best.startS;
}
