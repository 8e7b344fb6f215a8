// The emulated household as a trace: packets as its plans would put them on the line, for tests without a lab.

import type { Sample } from '../../src/core/capture/trace.ts';
import { planHousehold } from '../../src/research/lab/emulators/household.ts';

export interface HouseholdTrace {
  /** Packets of each device, in order of time. */
  packets: Map<string, Sample[]>;
  events: { timeS: number; device: string; event: string }[];
}

const SEGMENT_BYTES = 1448;
const HEADERS_BYTES = 52;

/** Each exchange: its message in segments, acknowledgements, and the answer half a round trip later. */
export function householdTrace(seed: number, durationS: number): HouseholdTrace {
  const plan = planHousehold({ seed, durationS });
  const packets = new Map<string, Sample[]>();
  for (const { atS, device, upBytes, downBytes } of plan.exchanges) {
    const own = packets.get(device) ?? [];
    packets.set(device, own);
    const send = (timeS: number, bytes: number, direction: 'up' | 'down') => {
      for (let left = bytes, k = 0; left > 0; left -= SEGMENT_BYTES, k++) {
        own.push({
          timeS: timeS + k * 0.001,
          bytes: Math.min(left, SEGMENT_BYTES) + HEADERS_BYTES,
          direction,
        });
      }
      own.push({
        timeS: timeS + 0.03,
        bytes: HEADERS_BYTES,
        direction: direction === 'up' ? 'down' : 'up',
      });
    };
    send(atS, upBytes, 'up');
    if (downBytes > 0) send(atS + 0.04, downBytes, 'down');
  }
  for (const own of packets.values()) own.sort((a, b) => a.timeS - b.timeS);
  return {
    packets,
    events: plan.events.map(({ atS, device, event }) => ({ timeS: atS, device, event })),
  };
}
