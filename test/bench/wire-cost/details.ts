// What a rate showed beside its figures: each process's share for the eye, and everything for the JSON.
import { ENDS, type Light, type Shown } from './measure.ts';
import { usesOf } from './process-costs.ts';

/** Processor time and wake-ups of both ends by process, for the eye. */
export function splitLines({ twoClocks, memory }: Shown): string[] {
  const { readings, plainPps, load, home, holds } = twoClocks;
  const { exactness, captureDropped } = home;
  const lines = [
    `  load ${load.toFixed(1)}; plain OpenVPN carried ${plainPps.up.toFixed(1)} packets a second up, ${plainPps.down.toFixed(1)} down`,
    `  ${exactness.map(({ slots, direction }) => `${slots} slots ${direction}`).join(', ')}, ${exactness[0]!.outside} packets beside the tunnel, ${captureDropped} missed by the capture`,
    `  devices were held ${holds.length} times${holds.map((line) => `\n    ${line}`).join('')}`,
  ];
  for (const [whose, name] of [
    ['own', ''],
    ['paper', "the prototype's "],
  ] as const) {
    for (const end of ENDS) {
      const sorted = [...usesOf(readings[whose][end]).whole].sort(
        ([, one], [, other]) => other.secondsAMinute - one.secondsAMinute,
      );
      const cost = sorted.map(
        ([part, { secondsAMinute, switchesPerS, waitedMsPerS }]) =>
          `${part} ${secondsAMinute.toFixed(2)} s, ${switchesPerS.toFixed(1)}/s, ${waitedMsPerS.toFixed(0)} ms/s`,
      );
      lines.push(
        `  ${name}${end}, CPU a minute, wake-ups, waited for a processor: ${cost.join('; ')}`,
      );
      const kept = [...memory[whose][end].at(-1)!].map(
        ([part, { residentMB, proportionalMB, privateMB }]) =>
          `${part} ${residentMB.toFixed(1)} / ${proportionalMB.toFixed(1)} / ${privateMB.toFixed(1)}`,
      );
      lines.push(`  ${name}${end}, MB resident / proportional / private: ${kept.join('; ')}`);
    }
  }
  return lines;
}

/** All of one rate that no figure stands for, by process. */
export function detailsOf({ rateKBps, twoClocks, oneClock, memory, simulated, heavy }: Shown) {
  const phase = ({ readings, home, paper, load, plainPps, holds }: Light) => ({
    ...{ load, plainPps, holds, home, paper },
    uses: Object.fromEntries(
      Object.entries(readings).map(([whose, { home: one, endpoint: other }]) => [
        whose,
        {
          home: Object.fromEntries(usesOf(one).whole),
          endpoint: Object.fromEntries(usesOf(other).whole),
        },
      ]),
    ),
  });
  const kept = Object.entries(memory).map(([whose, { home, endpoint }]) => [
    whose,
    {
      home: home.map((moment) => Object.fromEntries(moment)),
      endpoint: endpoint.map((moment) => Object.fromEntries(moment)),
    },
  ]);
  return {
    ...{ rateKBps, simulated, heavy },
    ...{ twoClocks: phase(twoClocks), oneClock: phase(oneClock) },
    memory: Object.fromEntries(kept),
  };
}
