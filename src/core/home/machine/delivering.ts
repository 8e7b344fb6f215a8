// Once a second, beside whether devices may send: whether what they send arrives, and what they are answered.
import { findShut, withCounts } from '../../delivery/passage.ts';
import { isSame } from '../../equality/equality.ts';
import { ask } from '../../machine/agenda.ts';
import { isPaced, type Shape, shapeOf } from '../../stream/stream.ts';
import { judgeDelivery } from '../delivery/home-delivery.ts';
import { wholeBytesBy } from '../delivery/path-size.ts';
import { NO_PROBES, passSecond, type Streams } from '../delivery/probing.ts';
import { LATELY_MS, type Passing, SHORTFALL_WINDOW_MS } from '../delivery/shortfall.ts';
import type { SlotMeter } from '../slot-meter.ts';
import { clockWarning } from './clock.ts';
import type { Sight } from './events.ts';
import { desiredOf } from './state.ts';
import type { Turn } from './turn.ts';

/** Takes in what was counted. */
export function deliver(turn: Turn, sight: Sight): void {
  const { state, now } = turn;
  state.passages = withCounts(state.passages, sight.passages, now.monotonicMs);
  state.redirected = [...sight.redirected].sort((a, b) => Number(a) - Number(b));
  const isShut = findShut(state.passages, now.monotonicMs).length > 0;
  if (!isShut) state.suspects = null;
  else if (state.suspects === null) ask(turn, 'suspects');
  probe(turn, sight);
  noteDelivery(turn);
}

/** Asks inside the stream, where there is one and devices may send. */
function probe(turn: Turn, { chance }: Sight): void {
  const { state, acts, now } = turn;
  const streams = streamsOf(turn);
  if (!state.permitted || !state.inner || !streams || !isStream(streams)) {
    state.probes = NO_PROBES;
    return;
  }
  const { probes, ask: isDue } = passSecond(state.probes, streams, now.monotonicMs, chance);
  state.probes = probes;
  if (isDue) acts.push({ do: 'probe', inner: state.inner });
}

function isStream({ upload, download }: Streams): boolean {
  return isPaced(upload) && isPaced(download);
}

function streamsOf({ state }: Turn): Streams | null {
  const desired = desiredOf(state);
  if (!desired) return null;
  const { config, rate } = desired;
  return {
    upload: shapeOf(config, rate.uploadKBps),
    download: shapeOf(config, rate.downloadKBps),
  };
}

function passingOf(shape: Shape, meters: readonly Pick<SlotMeter, 'perSecond'>[]): Passing {
  return {
    shape,
    perSecond: meters.map((meter) => meter.perSecond(SHORTFALL_WINDOW_MS)),
    latelyPerSecond: meters.map((meter) => meter.perSecond(LATELY_MS)),
  };
}

/** Brings what is known of devices' luck to what was found. */
export function noteDelivery(turn: Turn): void {
  const { state, acts, now } = turn;
  const desired = desiredOf(state);
  const streams = streamsOf(turn);
  if (!desired || !streams) return;
  const before = state.delivery;
  // What was lost while the tunnel was down says nothing of the line.
  const upMs = (now.unixS - state.tunnelSinceS) * 1000;
  const isMeasured = state.tunnelState === 'up' && upMs > SHORTFALL_WINDOW_MS;
  const delivery = judgeDelivery({
    nowMs: now.monotonicMs,
    netdev: desired.config.tunnel.interface,
    passages: state.passages,
    probes: state.probes,
    streams,
    up: passingOf(streams.upload, isMeasured ? [state.sent, state.arrivals] : []),
    down: passingOf(streams.download, isMeasured ? [state.received] : []),
    wholeBytes: state.house.wholeBytes,
    endpointWholeBytes: wholeBytesBy(
      state.remoteAddress?.includes(':') ?? false,
      state.welcome?.wholeBytes ?? null,
    ),
    suspects: state.suspects ?? [],
    redirected: state.redirected,
    endpointTroubles: state.welcome?.troubles ?? [],
    warnedOf: before.warnings,
  });
  const noClock = clockWarning(state);
  const more = noClock ? [noClock] : [];
  state.delivery = { ...delivery, warnings: [...delivery.warnings, ...more] };
  for (const warning of state.delivery.warnings) {
    if (before.warnings.some((other) => isSame(other, warning))) continue;
    acts.push({ do: 'log', level: 'warning', notice: warning });
  }
}
