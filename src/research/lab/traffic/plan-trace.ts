// An emulated device's plan as the packets it would send and get: a trace for simulations, no lab needed.
import type { Sample } from '../../../core/capture/trace.ts';
import type { Exchange } from '../emulators/plan.ts';
import { answerMessage } from './message.ts';

export const UDP_HEADERS_BYTES = 28;
/** IP 20, TCP 20 and the time-stamp option 12. */
export const TCP_HEADERS_BYTES = 52;
export const SEGMENT_BYTES = 1448;
/** How long a server far away takes to answer, there and back. */
export const ROUND_TRIP_S = 0.03;

/**
 * Packets of the exchanges in the order of time: messages cut into segments, each second segment acknowledged, answers
 * after a round trip. Connections are taken to stand; names, to be known.
 */
export function traceOfPlan(exchanges: readonly Exchange[]): Sample[] {
  return exchanges
    .flatMap(({ atS, protocol, upBytes, downBytes }, index) => {
      const message = { id: index + 1, part: 0, totalBytes: upBytes, replyBytes: downBytes };
      const answers = answerMessage(message, protocol);
      const answerS = atS + ROUND_TRIP_S;
      return protocol === 'udp'
        ? [
            { timeS: atS, bytes: upBytes + UDP_HEADERS_BYTES, direction: 'up' as const },
            ...answers.map(({ totalBytes }) => ({
              timeS: answerS,
              bytes: totalBytes + UDP_HEADERS_BYTES,
              direction: 'down' as const,
            })),
          ]
        : [
            ...segments(atS, upBytes, 'up', downBytes === 0),
            ...answers.flatMap(({ totalBytes }) => segments(answerS, totalBytes, 'down', true)),
          ];
    })
    .sort((a, b) => a.timeS - b.timeS);
}

/** A message over TCP; what is answered at once is acknowledged with the answer. */
function segments(
  timeS: number,
  bytes: number,
  direction: Sample['direction'],
  acknowledged: boolean,
): Sample[] {
  const samples: Sample[] = [];
  for (let left = bytes; left > 0; left -= SEGMENT_BYTES) {
    samples.push({ timeS, bytes: Math.min(left, SEGMENT_BYTES) + TCP_HEADERS_BYTES, direction });
  }
  const other = direction === 'up' ? 'down' : 'up';
  const acknowledgements = acknowledged
    ? Math.ceil(samples.length / 2)
    : Math.floor((samples.length - 1) / 2);
  const ackS = direction === 'up' ? timeS + ROUND_TRIP_S : timeS;
  for (let i = 0; i < acknowledgements; i++) {
    samples.push({ timeS: ackS, bytes: TCP_HEADERS_BYTES, direction: other });
  }
  return samples;
}

/** The trace as the CSV that `simulate` and the attacks read. */
export function renderTraceCsv(samples: readonly Sample[]): string {
  const lines = samples.map(
    ({ timeS, bytes, direction }) => `${timeS.toFixed(6)},${bytes},${direction === 'up' ? 1 : -1}`,
  );
  return `${['time,size,direction', ...lines].join('\n')}\n`;
}
