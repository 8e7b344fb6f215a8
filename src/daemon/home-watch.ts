// Looks once a second whether everything stands, and lets devices go on only while it does.
import type { ActiveRate } from '../config/schedule.ts';
import type { Config } from '../config/types.ts';
import { HOME_CLASS_MINOR } from '../plan/names.ts';
import type { ShaperReport } from '../shaper/messages.ts';
import type { HomeDatapath } from './home-datapath.ts';
import { shapeOf } from './home-datapath.ts';
import { SlotMeter } from './slot-meter.ts';
import {
  findDownloadFaults,
  findQueueFaults,
  findStreamFaults,
  meterWindowMs,
} from './verification.ts';

/** After a change of rate the streams are measured anew; so long the old verdict on them stands. */
const GRACE_MS = 4000;
/** Silence of the endpoint after which OpenVPN is asked to connect anew, and how long that may take. */
const RECONNECT_AFTER_MS = 15_000;
/** An endpoint whose answers stop for so long is gone even if its stream goes on. */
const SILENT_MS = 30_000;
const SILENT_SLOTS = 80;

/** What the look found. */
export interface Verdict {
  /** In a person's words; empty when devices may go on. */
  faults: string[];
  /** The queue is not as it was made: make it anew. */
  repair: boolean;
}

/** Judges one home's streams over time. */
export class HomeWatch {
  readonly sent = new SlotMeter();
  readonly received = new SlotMeter();
  #graceUntilMs = 0;
  #shapes = '';
  #silentSinceMs: number | null = null;

  /** Judges the datapath by a fresh report. Reads counters and rules; changes nothing. */
  async judge(
    datapath: HomeDatapath,
    config: Config,
    rate: ActiveRate,
    report: ShaperReport,
    nowMs: number,
  ): Promise<Verdict> {
    const upload = shapeOf(config, rate.uploadKBps);
    const download = shapeOf(config, rate.downloadKBps);
    this.#noteShapes(JSON.stringify([upload, download]), meterWindowMs(upload), nowMs);
    this.sent.push(datapath.sentCounter.read(), nowMs);
    this.received.push(datapath.receivedCounter.read(), nowMs);
    // First, since it is for a person to mend.
    const lost = datapath.house.networkFindings.filter(({ blocks }) => blocks);
    if (lost.length > 0) return { faults: lost.map(({ text }) => text), repair: false };
    if (datapath.tunnelState !== 'up' || !datapath.tunnel) {
      return { faults: [tunnelWords(datapath)], repair: false };
    }
    const queueFaults = report.listing
      ? findQueueFaults({ listing: report.listing, minors: [HOME_CLASS_MINOR] })
      : [];
    if (!(await datapath.checkRules(datapath.alive))) {
      queueFaults.push('the rules that guard the tunnel were changed');
    }
    if (queueFaults.length > 0) return { faults: queueFaults, repair: true };
    // While a window fills after a change of rate, an old verdict in good order stands.
    const settling = nowMs < this.#graceUntilMs && datapath.alive;
    const sent = this.sent.perSecond(meterWindowMs(upload));
    const received = this.received.perSecond(meterWindowMs(download));
    const uploadFaults = sent === null && settling ? [] : findStreamFaults(upload, sent);
    const faults = [
      ...uploadFaults,
      ...(settling ? [] : findDownloadFaults(download, received)),
      ...answerFaults(datapath, download.rateKBps, download.packetBytes, nowMs),
    ];
    // Measured for long enough and still wrong: cover or pacing is gone, and both come back with a new queue.
    const repair = uploadFaults.length > 0 && sent !== null;
    if (repair) this.sent.reset();
    return { faults, repair };
  }

  /** Whether OpenVPN should connect anew: the endpoint has been silent for long. */
  wantsReconnect(datapath: HomeDatapath, nowMs: number): boolean {
    const quiet = datapath.tunnelState === 'up' && this.received.latestPerSecond === 0;
    if (!quiet) this.#silentSinceMs = null;
    else this.#silentSinceMs ??= nowMs;
    if (this.#silentSinceMs === null || nowMs - this.#silentSinceMs < RECONNECT_AFTER_MS)
      return false;
    this.#silentSinceMs = nowMs;
    return true;
  }

  #noteShapes(shapes: string, windowMs: number, nowMs: number): void {
    if (shapes === this.#shapes) return;
    this.#shapes = shapes;
    this.sent.reset();
    this.received.reset();
    this.#graceUntilMs = nowMs + GRACE_MS + windowMs;
  }
}

function tunnelWords(datapath: HomeDatapath): string {
  return datapath.tunnelState === 'connecting'
    ? 'the tunnel to the endpoint is being set up'
    : 'the tunnel to the endpoint is down';
}

function answerFaults(
  datapath: HomeDatapath,
  rateKBps: number,
  packetBytes: number,
  nowMs: number,
): string[] {
  const silentMs = datapath.control?.silentMs(nowMs) ?? Number.POSITIVE_INFINITY;
  if (silentMs === Number.POSITIVE_INFINITY) return ['the endpoint has not answered yet'];
  const slot = rateKBps === 0 ? 0 : packetBytes / rateKBps;
  return silentMs > Math.max(SILENT_MS, SILENT_SLOTS * slot)
    ? ['the endpoint no longer answers']
    : [];
}
