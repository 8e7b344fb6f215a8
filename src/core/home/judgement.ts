// Whether a home's devices may send: decided by what was read back, and by nothing else. Pure.
import { isSame } from '../equality/equality.ts';
import { type Notice, notice } from '../notices/notice.ts';
import { HOME_CLASS_MINOR } from '../plan/names.ts';
import type { ClockChains, ClockedWay } from '../plan/outer-clock.ts';
import type { TcListing } from '../plan/tc-listing.ts';
import { type Shape, waitPerSlotMs } from '../stream/stream.ts';
import { packetSizeCommand } from './delivery/path-size.ts';
import {
  findClockFaults,
  findDownloadFaults,
  findQueueFaults,
  findStreamFaults,
  isBypassed,
} from './verification.ts';

/** An endpoint whose answers stop for so long is gone even if its stream goes on. */
const SILENT_MS = 30_000;
const SILENT_SLOTS = 80;

/** Everything that devices' leave to send rests on. */
export interface HomeEvidence {
  tunnelState: 'down' | 'connecting' | 'up' | 'reconnecting';
  /** Why it is not up, as far as OpenVPN has said. */
  trouble: Notice | null;
  /** What keeps it from being known who is a device. */
  blocking: readonly Notice[];
  /** The queue as tc listed it; null where it was not asked since the queue was made. */
  listing: TcListing | null;
  /** Way on which the clock behind OpenVPN has to stand, and on which one was made; null for no such clock. */
  clock: ClockedWay | null;
  clockMade: ClockedWay | null;
  /** The chains that lead there; null where there was no reason to look. */
  chains: ClockChains | null;
  /** Whether what shapes has told of itself lately. */
  isReported: boolean;
  /** Whether it has told nothing for as long although it was listened to: a process that was held up itself heard nothing. */
  isSilent: boolean;
  /** Whether the rules stand as they were loaded. */
  rulesIntact: boolean;
  /** Packets of devices were stopped lately on a way that rules or routes of others gave them. */
  astray: boolean;
  upload: Shape;
  download: Shape;
  /** Packets a second that left, and that came; null while they were not counted for long enough. */
  sentPerSecond: number | null;
  receivedPerSecond: number | null;
  /** The same of what left by the clock behind OpenVPN. */
  clockedPerSecond: number | null;
  /** Whether any left, and came, in the last second. */
  isSending: boolean;
  isReceiving: boolean;
  /** Since when the endpoint has not answered; Infinity before its first answer. */
  answerSilentMs: number;
  /** Size of a packet that was answered while those of the streams are not; null else. */
  smallerBytes: number | null;
  /** Why the endpoint serves nothing of what is wanted; null where it has not said so lately. */
  refusal: Notice | null;
  /** The endpoint said last that another machine uses the profile of this home, too. */
  isShared: boolean;
  /** A new rate is being taken over, from a stream that was in good order. */
  settling: boolean;
  /** Whether devices may send so far. */
  alive: boolean;
}

/** What follows from the evidence. */
export interface Verdict {
  /** Empty when devices may go on. */
  faults: readonly Notice[];
  /** The queue or the rules are not as they were made: make them anew. */
  repair: boolean;
  /** The stream that leaves was measured for long enough, and is not what it ought to be. */
  streamBroken: boolean;
  /** The same of what leaves by the clock behind OpenVPN. */
  clockBroken: boolean;
  /** What OpenVPN sends does not come to its clock. */
  clockBypassed: boolean;
}

/** Judges one look's evidence. Whatever is not known is a fault, but for what {@link HomeEvidence.settling} excuses. */
export function judgeHome(evidence: HomeEvidence): Verdict {
  const { tunnelState, blocking, listing, upload, sentPerSecond, settling } = evidence;
  const rules = evidence.rulesIntact ? [] : [notice('rules-changed')];
  const tunnel = tunnelState === 'up' ? [] : [tunnelFault(tunnelState, evidence.trouble)];
  const clock = findClock(evidence);
  const structure = [
    ...(listing ? findQueueFaults({ listing, minors: [HOME_CLASS_MINOR] }) : []),
    ...clock,
  ];
  const queue = [...structure, ...(evidence.isReported ? [] : [notice('shaping-thread-silent')])];
  const isQueueBroken = structure.length > 0 || evidence.isSilent;
  const leaving =
    sentPerSecond === null && settling
      ? []
      : findStreamFaults(upload, sentPerSecond, null, evidence.isSending);
  const hasClock = evidence.clock !== null && clock.length === 0;
  const clockBypassed = hasClock && leaving.length === 0 && isBypassed(evidence);
  const clocked = hasClock && !clockBypassed ? findClocked(evidence) : [];
  const isClockNew = hasClock && evidence.clockedPerSecond === null && !evidence.alive;
  const streams = [
    // All else that does not come follows from it.
    ...(evidence.refusal ? [evidence.refusal] : []),
    ...findLostSize(evidence),
    ...(listing || evidence.alive ? [] : [notice('queue-not-looked-at')]),
    ...leaving,
    ...clocked,
    ...(isClockNew ? [notice('stream-begun')] : []),
    ...(settling ? [] : findArrivalFaults(evidence)),
    ...findAnswerFaults(evidence),
    ...(evidence.astray ? [notice('sent-astray')] : []),
  ];
  const isUp = tunnel.length === 0;
  const hasStructure = queue.length === 0 && rules.length === 0;
  // Measured for long enough and still wrong: cover or pacing is gone, and both come back with a new queue.
  const streamBroken = isUp && hasStructure && leaving.length > 0 && sentPerSecond !== null;
  const clockBroken = isUp && hasStructure && clocked.length > 0;
  return {
    // What is for a person to mend comes first; what follows from something else is not told beside it.
    faults:
      [blocking, tunnel, [...queue, ...rules], streams].find(({ length }) => length > 0) ?? [],
    // Rules hold devices back whatever else they wait for; a queue needs a tunnel.
    repair: rules.length > 0 || (isUp && isQueueBroken) || streamBroken || clockBroken,
    streamBroken,
    clockBroken,
    clockBypassed: isUp && clockBypassed,
  };
}

/** Whether the clock behind OpenVPN stands where it has to. */
function findClock({ clock, clockMade, chains, listing }: HomeEvidence): Notice[] {
  if (clock === null) return [];
  if (!isSame(clock, clockMade) || chains?.intact === false) return [notice('outer-clock-gone')];
  return listing ? findClockFaults(listing, HOME_CLASS_MINOR) : [];
}

/** What has left by that clock: the wire shows nothing else. Before it was measured it stands as it was made, which is enough where devices send already. */
function findClocked({ upload, clockedPerSecond }: HomeEvidence): Notice[] {
  return clockedPerSecond === null ? [] : findStreamFaults(upload, clockedPerSecond);
}

/** What a tunnel that is not up stands in the way with. */
export function tunnelFault(state: HomeEvidence['tunnelState'], trouble: Notice | null): Notice {
  if (trouble !== null) return notice('tunnel-failing', { why: trouble });
  return notice(state === 'connecting' ? 'tunnel-connecting' : 'tunnel-down');
}

/** The way to the endpoint swallows packets of the streams' size, and smaller ones pass. */
function findLostSize({ smallerBytes, upload: { packetBytes: size } }: HomeEvidence): Notice[] {
  if (smallerBytes === null) return [];
  return [
    notice('size-lost', { size, fits: smallerBytes, command: packetSizeCommand(smallerBytes) }),
  ];
}

/** The endpoint's stream ends here whenever another machine takes the tunnel by the same profile. */
function findArrivalFaults({ download, receivedPerSecond, ...evidence }: HomeEvidence): Notice[] {
  const faults = findDownloadFaults(download, receivedPerSecond, evidence.isReceiving);
  return evidence.isShared && faults.length > 0 ? [notice('profile-shared')] : faults;
}

function findAnswerFaults({ answerSilentMs, download }: HomeEvidence): Notice[] {
  if (answerSilentMs === Number.POSITIVE_INFINITY) return [notice('endpoint-not-answered')];
  return answerSilentMs > Math.max(SILENT_MS, SILENT_SLOTS * waitPerSlotMs(download))
    ? [notice('endpoint-silent')]
    : [];
}
