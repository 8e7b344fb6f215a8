// What `iotshaper status` prints on an endpoint.
import { renderReason } from '../../core/home/answers.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { tunnelAddress } from '../../core/plan/nft-endpoint.ts';
import { version } from '../../version.ts';
import type { HomeSession } from './home-session.ts';
import type { HomeSessions } from './home-sessions.ts';
import type { EndpointIdentity, StoredHome } from './store.ts';

/** What the endpoint knows of itself. */
export interface EndpointFigures {
  identity: EndpointIdentity;
  /** Whether OpenVPN serves. */
  isUp: boolean;
  /** Why it does not serve as it should; null while it does. */
  fault: Notice | null;
  /** Unix seconds. */
  since: number;
  /** Whether the endpoint has IPv6 to give. */
  ipv6: boolean;
  homes: readonly StoredHome[];
  sessions: Pick<HomeSessions, 'get' | 'all'>;
}

export function renderEndpointStatus(
  { identity, isUp, fault, since, ipv6, homes, sessions }: EndpointFigures,
  nowMs: number,
): Record<string, unknown> {
  const counts = { online: sessions.all().length, count: homes.length };
  const serving = isUp ? notice('endpoint-serving', counts) : notice('endpoint-starting');
  return {
    state: isUp ? 'shaping' : 'starting',
    ...renderReason(fault ?? serving),
    since,
    version,
    role: 'endpoint',
    ipv6,
    homes: homes.map(({ name, host }) => ({
      name,
      address: tunnelAddress(identity, host),
      ...renderSession(sessions.get(host), nowMs),
    })),
  };
}

function renderSession(session: HomeSession | undefined, nowMs: number): Record<string, unknown> {
  const report = session?.report(nowMs);
  return {
    online: session !== undefined,
    download_kBps: session?.shape.rateKBps ?? 0,
    packet_size: session?.shape.packetBytes ?? 0,
    version: session?.version ?? '',
    queue_packets: report?.queuePackets ?? 0,
    queue_ms: Math.round(report?.queueMs ?? 0),
    dropped: report?.dropped ?? 0,
    foreign: session?.foreign ?? 0,
  };
}
