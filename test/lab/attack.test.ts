// The attack on lab runs: it finds what is there to be found, and nothing in a stream that does not change.
import test from 'ava';
import { seededRandom } from '../../src/core/random/random.ts';
import { chanceHits } from '../../src/research/analysis/activity-score.ts';
import { BIN_S } from '../../src/research/analysis/activity-streams.ts';
import { RateSeries } from '../../src/research/analysis/identify/features.ts';
import { labDevices } from '../../src/research/lab/bed/topology.ts';
import { type AttackInput, attackRun } from '../../src/research/lab/findings/attack.ts';
import { attackNotes, attackRows } from '../../src/research/lab/findings/attack-table.ts';
import { attackCase, renderCases, vpnCases } from '../../src/research/lab/findings/cases.ts';
import type { HomePacket, WirePacket } from '../../src/research/lab/findings/observation.ts';
import type { LabSummary } from '../../src/research/lab/findings/summary.ts';

const startS = 1_700_000_000;
const seconds = 120;
const ipOf = (id: string) => labDevices().find((device) => device.id === id)!.ip;
const plugUses = [7, 40, 52, 59, 104];

/** A camera that always sends a little, and a plug that says a lot when it is switched. */
function household(): HomePacket[] {
  const random = seededRandom(3);
  const packets: HomePacket[] = [];
  for (let atS = 0; atS < seconds; atS += 0.25) {
    const bytes = 380 + Math.floor(40 * random());
    packets.push({ timeS: startS + atS, bytes, ip: ipOf('nest-cam'), direction: 'up' });
  }
  for (const useS of plugUses) {
    for (let k = 0; k < 24 + (useS % 9); k++) {
      const timeS = startS + useS + k * 0.12;
      packets.push({ timeS, bytes: 1200, ip: ipOf('tp-link-plug'), direction: 'down' });
    }
  }
  return packets.sort((a, b) => a.timeS - b.timeS);
}

const home = household();
const events = plugUses.map((useS) => ({
  timeS: startS + useS,
  device: 'tp-link-plug',
  event: 'on',
}));
const wireOf = (packets: readonly HomePacket[]): AttackInput['wire'] => ({
  up: packets.filter(({ direction }) => direction === 'up'),
  down: packets.filter(({ direction }) => direction === 'down'),
});
const base = {
  startS,
  endS: startS + seconds,
  streams: null,
  dnsNames: [],
  home,
  events,
  seed: 1,
};

test('unprotected: names, rates and bursts give everything away', (t) => {
  const streams = new Map<string, RateSeries>();
  for (const [ip, label] of [
    [ipOf('nest-cam'), 'Nest security camera'],
    [ipOf('tp-link-plug'), 'TP-Link smart plug'],
  ] as const) {
    const series = new RateSeries(BIN_S);
    for (const packet of home) if (packet.ip === ip) series.add(packet);
    streams.set(label, series);
  }
  const dnsNames = ['nexus.dropcam.com', 'devs.tplinkcloud.com', 'example.org'];
  const found = attackRun({ ...base, wire: wireOf(home), streams, dnsNames });
  t.deepEqual(found.devices, ['Nest security camera', 'TP-Link smart plug']);
  t.deepEqual(found.namedByDns, found.devices);
  t.deepEqual(found.byRates?.named, found.devices);
  t.is(found.events?.f1, 1);
});

test('a VPN: no name in the clear, but bursts stand out, and the window says whose they are', (t) => {
  const found = attackRun({ ...base, wire: wireOf(home) });
  t.deepEqual(found.namedByDns, []);
  t.deepEqual(found.byRates?.named, ['Nest security camera', 'TP-Link smart plug']);
  t.true(found.events!.f1 > 0.9, `${found.events!.f1}`);
  t.true(found.auc!.low > 0.6, `${found.auc!.low}`);
  t.is(found.verdict, 'leak');
});

test('slots that do not depend on devices: no device named, no event found', (t) => {
  const random = seededRandom(5);
  const slots = (): WirePacket[] => {
    const packets = [];
    for (let timeS = startS; timeS < startS + seconds; timeS += 0.0128 * (0.5 + random()))
      packets.push({ timeS, bytes: 564 });
    return packets;
  };
  const found = attackRun({ ...base, wire: { up: slots(), down: slots() } });
  t.deepEqual(found.byRates?.named, []);
  // A jitter of slots looks like an event now and then, and is near one by chance.
  t.true(found.events!.f1 < 0.4, `${found.events!.f1}`);
  t.not(found.verdict, 'leak');
  const rows = attackRows([found]);
  t.deepEqual(rows.find(({ name }) => name === 'devices named by DNS')?.cells, ['0 of 2']);
  t.true(rows.every(({ cells }) => cells.length === 1));
  // So short a run says nothing of activity, and is not quoted on it.
  t.false(rows.some(({ name }) => /AUC|verdict/.test(name)));
  t.true(attackNotes([found]).at(-1)!.includes('takes minutes'));
  const longer = { ...found, visibleAuc: 0.6 };
  t.true(attackRows([longer]).some(({ name }) => /verdict/.test(name)));
  t.true(attackNotes([longer]).at(-1)!.startsWith('Activity AUC'));
});

test('alarms at random moments find a part of the events', (t) => {
  const place = { seconds: 100, toleranceS: 1, streams: 1 };
  t.is(chanceHits({ events: 14, found: 0 }, place), 0);
  t.true(Math.abs(chanceHits({ events: 14, found: 1 }, place) - 0.28) < 1e-9);
  t.true(chanceHits({ events: 14, found: 50 }, place) > 8);
  t.true(chanceHits({ events: 14, found: 50 }, { ...place, streams: 7 }) < 2);
  t.is(chanceHits({ events: 14, found: 3 }, { ...place, seconds: 1 }), 3);
});

test('an empty line has nothing to attack', (t) => {
  const found = attackRun({ ...base, wire: { up: [], down: [] }, events: [], home: [] });
  t.deepEqual(
    [found.devices, found.byRates, found.events, found.auc, found.verdict],
    [[], null, null, null, null],
  );
  t.deepEqual(
    attackRows([found]).map(({ cells }) => cells[0]),
    ['0 of 0', '–', '–', '–', '–'],
  );
});

test('a dominating device is named through the VPN by what it looked like elsewhere', (t) => {
  const dominating = vpnCases.find(({ watched }) => watched === 'nest-cam')!;
  const summary = { variant: 'vpn' } as LabSummary;
  const attack = { ...base, wire: wireOf(home) };
  const camera = events.map((event) => ({ ...event, device: 'nest-cam' }));
  const figures = attackCase(
    dominating,
    { attack: { ...attack, events: camera }, summary },
    attack,
  );
  t.is(figures.dominant, 'Nest security camera');
  t.is(figures.named, 'Nest security camera');
  t.true(figures.right / figures.windows > 0.8, `${figures.right} of ${figures.windows}`);
  t.is(figures.events?.events, plugUses.length);
  t.regex(renderCases([figures]), /dominating device +vpn +4 +Nest security camera +Nest/);
});
