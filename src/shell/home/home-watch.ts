// Looks once a second whether everything stands, and lets devices go on only while it does.
import type { ActiveRate } from '../../core/config/schedule.ts';
import type { Config } from '../../core/config/types.ts';
import { bare } from '../../core/home/answers.ts';
import { judgeHome, type Verdict } from '../../core/home/judgement.ts';
import { SlotMeter } from '../../core/home/slot-meter.ts';
import { meterWindowMs } from '../../core/home/verification.ts';
import { shapeOf } from '../../core/stream/stream.ts';
import type { ShaperReport } from '../shaper/messages.ts';
import type { HomeDatapath } from './home-datapath.ts';

/** After a change of rate the streams are measured anew; so long the old verdict on them stands. */
const GRACE_MS = 4000;
/** Silence of the endpoint after which OpenVPN is asked to connect anew, and how long that may take. */
const RECONNECT_AFTER_MS = 15_000;
/** A device that is sent elsewhere may say nothing for a while. */
const ASTRAY_MS = 10_000;

/** Judges one home's streams over time. */
export class HomeWatch {
  readonly sent = new SlotMeter();
  readonly received = new SlotMeter();
  #graceUntilMs = 0;
  #shapes = '';
  #silentSinceMs: number | null = null;
  #astray = 0;
  #astrayAtMs = Number.NEGATIVE_INFINITY;

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
    const rulesIntact = await datapath.checkRules(datapath.alive);
    this.#noteAstray(datapath.astray, nowMs);
    const verdict = judgeHome({
      tunnelState: datapath.tunnel ? datapath.tunnelState : 'down',
      blocking: [
        ...datapath.house.networkFindings.filter(({ blocks }) => blocks).map(bare),
        ...(datapath.routeFault === null ? [] : [datapath.routeFault]),
      ],
      listing: report.listing,
      rulesIntact,
      astray: nowMs - this.#astrayAtMs < ASTRAY_MS,
      upload,
      download,
      sentPerSecond: this.sent.perSecond(meterWindowMs(upload)),
      receivedPerSecond: this.received.perSecond(meterWindowMs(download)),
      answerSilentMs: datapath.control?.silentMs(nowMs) ?? Number.POSITIVE_INFINITY,
      // While a window fills after a change of rate, an old verdict in good order stands.
      settling: nowMs < this.#graceUntilMs && datapath.alive,
      alive: datapath.alive,
    });
    if (verdict.streamBroken) this.sent.reset();
    return verdict;
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

  /** A counter that went back was made anew with its table. */
  #noteAstray(packets: number, nowMs: number): void {
    if (packets > this.#astray) this.#astrayAtMs = nowMs;
    this.#astray = packets;
  }

  #noteShapes(shapes: string, windowMs: number, nowMs: number): void {
    if (shapes === this.#shapes) return;
    this.#shapes = shapes;
    this.sent.reset();
    this.received.reset();
    this.#graceUntilMs = nowMs + GRACE_MS + windowMs;
  }
}
