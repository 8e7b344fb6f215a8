// What `iotshaper status` prints on an endpoint.
import { reasonOf } from '../../core/control/refusal.ts';
import { limitsOf } from '../../core/endpoint/admission/limits.ts';
import { usedEverywhereGB } from '../../core/endpoint/admission/usage.ts';
import { drainOf } from '../../core/endpoint/machine/admission/draining.ts';
import { standingOf } from '../../core/endpoint/machine/clock.ts';
import type { EndpointState, Session } from '../../core/endpoint/machine/state.ts';
import { toldOf } from '../../core/endpoint/machine/telling.ts';
import { renderReason } from '../../core/home/answers.ts';
import { meterWindowMs } from '../../core/home/verification.ts';
import { wordsOf } from '../../core/notices/words.ts';
import { tunnelAddress } from '../../core/plan/nft/nft-endpoint.ts';
import { type Shape, slotsPerSecond } from '../../core/stream/stream.ts';
import { version } from '../../version.ts';
import type { HomeLinks } from './home-links.ts';

/** What the endpoint knows of itself. */
export interface EndpointFigures {
  machine: EndpointState;
  links: Pick<HomeLinks, 'report' | 'foreignOf'>;
  /** When the service started, Unix seconds. */
  since: number;
  nowMs: number;
}

export interface PortStatus {
  number: number;
  /** Packets since the service started. */
  arrived: number | null;
  /** Since the last one, or since the start. */
  quiet_s: number | null;
}

export function renderEndpointStatus(figures: EndpointFigures): Record<string, unknown> {
  const { machine, since } = figures;
  const { state, reason, troubles } = toldOf(machine);
  return {
    state,
    ...renderReason(reason),
    since,
    version,
    role: 'endpoint',
    warnings: troubles.map((trouble) => wordsOf(trouble)),
    warning_notices: troubles,
    port: renderPort(figures),
    ipv6: machine.ipv6 === true,
    drained: drainOf(machine, figures.nowMs),
    homes: machine.homes.map(({ name, host }) => ({
      name,
      address: tunnelAddress(machine.place.identity, host),
      ...renderAllowed(machine, name, host),
      ...renderHome(
        figures,
        host,
        machine.sessions.find((session) => session.host === host),
      ),
    })),
  };
}

/** What a home may have, how much data it had in this month, and why it is refused. */
function renderAllowed(
  machine: EndpointState,
  name: string,
  host: number,
): Record<string, unknown> {
  const { downKBps, upKBps, slots, monthGB } = limitsOf(machine.limits, name);
  const refusal = machine.refusals.get(host)?.refusal;
  return {
    limits: { down_kBps: downKBps, up_kBps: upKBps, slots, month_gb: monthGB },
    month_gb: Number(usedEverywhereGB(machine, name).toFixed(3)),
    refused: refusal ? wordsOf(reasonOf(refusal)) : null,
  };
}

/** What has come to the port so far, and how long ago; both null before that is known. */
function renderPort({ machine: { knocks, place }, nowMs }: EndpointFigures): PortStatus {
  const { count, sinceMs } = knocks;
  const quietS = count === null ? null : Math.floor((nowMs - sinceMs) / 1000);
  return { number: place.identity.port, arrived: count, quiet_s: quietS };
}

function renderHome(
  { machine, links, nowMs }: EndpointFigures,
  host: number,
  session: Session | undefined,
): Record<string, unknown> {
  const { queuePackets, queueMs, dropped } = links.report(host, nowMs);
  return {
    online: session !== undefined,
    download_kBps: session?.shape.rateKBps ?? 0,
    packet_size: session?.shape.packetBytes ?? 0,
    ...renderSlots(session?.standing ?? null, session),
    standing_slots: standingOf(machine, host),
    version: session?.version ?? '',
    queue_packets: queuePackets,
    queue_ms: Math.round(queueMs),
    dropped,
    foreign: links.foreignOf(host),
  };
}

/** Slots that the schedule has, and those that were counted: both tell nothing of what devices do. */
function renderSlots(
  standing: Shape | null,
  session: Session | undefined,
): Record<string, unknown> {
  if (!standing || !session) return { slots_asked_per_s: 0, slots_sent_per_s: null };
  return {
    slots_asked_per_s: slotsPerSecond(standing),
    slots_sent_per_s: session.meter.perSecond(meterWindowMs(standing)),
  };
}
