// Bench: how well the activity attack finds the emulated household's events, per device.
import { findActivity } from '../../src/research/analysis/activity.ts';
import { addScores, matchEvents } from '../../src/research/analysis/activity-score.ts';
import { householdTrace } from '../analysis/activity-household.ts';
import { binTraffic } from '../analysis/bin-traffic.ts';

const [durationText = '300', seedsText = '10'] = process.argv.slice(2);
const durationS = Number(durationText);
const scores = new Map<string, ReturnType<typeof matchEvents>[]>();
for (let seed = 1; seed <= Number(seedsText); seed++) {
  const { packets, events } = householdTrace(seed, durationS);
  for (const [device, own] of packets) {
    const found = findActivity(binTraffic(own, 0, durationS));
    const real = events.filter((event) => event.device === device).map(({ timeS }) => timeS);
    const score = matchEvents(
      found.events.map(({ startS }) => startS),
      real,
      5,
    );
    scores.set(device, [...(scores.get(device) ?? []), score]);
  }
}
for (const [device, list] of scores) {
  const { events, found, hits, precision, recall, f1 } = addScores(list);
  console.log(
    `${device}: ${events} events, ${found} found, ${hits} right: precision ${precision.toFixed(2)}, recall ${recall.toFixed(2)}, F1 ${f1.toFixed(2)}; worst run ${Math.min(...list.map((one) => one.f1)).toFixed(2)}`,
  );
}
