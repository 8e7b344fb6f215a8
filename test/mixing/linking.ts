// Which connections behind an endpoint are one home's: told by when they leave, beside each other or beside what the tunnels bring.
import { firstAtLeast } from '../../src/core/analysis/statistics/sample.ts';
import { byConnection, type MixedConnection, type MixedPacket } from './mix.ts';

/** When one connection's packets leave the endpoint, in order of time. */
export interface Departures {
  connection: MixedConnection;
  timesS: Float64Array;
}

/** Those of every connection that sends anything. */
export function departuresOf(packets: readonly MixedPacket[]): Departures[] {
  const up = packets.filter(({ direction }) => direction === 'up');
  return [...byConnection(up)].map(([connection, own]) => ({
    connection,
    timesS: Float64Array.from(own, ({ timeS }) => timeS),
  }));
}

/**
 * For each connection the home in whose tunnel a packet came in most often shortly before one of its own left: what somebody sees who
 * watches both sides of the endpoint.
 * @param tunnelsS arrivals of each home's tunnel at the endpoint, in order of time
 * @param withinS how long a packet takes through the endpoint at most
 * @returns -1 where several homes fit as well
 */
export function linkToTunnels(
  connections: readonly Pick<Departures, 'timesS'>[],
  tunnelsS: readonly Float64Array[],
  withinS: number,
): number[] {
  return connections.map(({ timesS }) => {
    const fitting = tunnelsS.map((tunnel) => {
      let fits = 0;
      for (const timeS of timesS) if (isAfterOne(tunnel, timeS, withinS)) fits++;
      return fits;
    });
    const most = Math.max(...fitting);
    const best = fitting.indexOf(most);
    return fitting.lastIndexOf(most) === best ? best : -1;
  });
}

/** Whether one of `times` lies in [timeS - withinS, timeS]. */
function isAfterOne(times: Float64Array, timeS: number, withinS: number): boolean {
  const next = firstAtLeast(times, timeS - withinS);
  return next < times.length && times[next]! <= timeS;
}

/** Near enough for one slot to have brought both. */
const TOGETHER_S = 0.0003;
/** Where slots of the same home that brought only one of them may be, and other homes'. */
const AROUND_S = 0.1;

/** For each connection the one of another kind of device that it leaves together with most, by place; -1 where none does. */
export function findPartners(connections: readonly Departures[]): number[] {
  return connections.map(({ connection, timesS }) => {
    let best = { place: -1, score: 0 };
    connections.forEach((other, place) => {
      if (other.connection.device === connection.device) return;
      const score = togetherness(timesS, other.timesS);
      if (score > best.score) best = { place, score };
    });
    return best.place;
  });
}

/**
 * How much more often packets of two connections leave together than a tenth of a second around tells: high where one home's
 * slots carry both, which is all that somebody sees of it who watches the Internet's side alone.
 */
export function togetherness(one: Float64Array, other: Float64Array): number {
  const [fewer, more] = one.length <= other.length ? [one, other] : [other, one];
  let together = 0;
  let expected = 0;
  for (const timeS of fewer) {
    const around = countWithin(more, timeS, AROUND_S);
    if (around === 0) continue;
    if (countWithin(more, timeS, TOGETHER_S) > 0) together++;
    expected += 1 - Math.exp((-around * TOGETHER_S) / AROUND_S);
  }
  return (together - expected) / Math.sqrt(expected + 0.5);
}

function countWithin(times: Float64Array, timeS: number, awayS: number): number {
  return firstAtLeast(times, timeS + awayS) - firstAtLeast(times, timeS - awayS);
}
