// From captures to figures: what a provider sees is told apart and counted right.
import test from 'ava';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { observeHome, observeProvider } from '../../src/research/lab/findings/observation.ts';
import { renderReport } from '../../src/research/lab/findings/report.ts';
import {
  activeBins,
  measureLatency,
  type SummaryInput,
  summarise,
} from '../../src/research/lab/findings/summary.ts';
import { renderSummary, renderTable } from '../../src/research/lab/findings/table.ts';
import { type LabOptions, labDefaults } from '../../src/research/lab/options.ts';
import { encodeQuestion } from '../../src/research/lab/traffic/dns.ts';
import type { Delay } from '../../src/research/lab/traffic/traffic-log.ts';
import { captured, stream } from './support/packets.ts';

const data = Uint8Array.of((9 << 3) | 0, 0, 0, 1);
const control = Uint8Array.of((7 << 3) | 0, 0, 0, 1);
const port = 1194;
const up = {
  source: lab.homeAddress,
  destination: lab.endpointAddress,
  sourcePort: 40000,
  destinationPort: port,
};
const down = {
  source: lab.endpointAddress,
  destination: lab.homeAddress,
  sourcePort: port,
  destinationPort: 40000,
};
const asking = (name: string) => ({
  source: lab.homeAddress,
  destination: lab.dnsAddress,
  sourcePort: 5353,
  destinationPort: 53,
  payload: encodeQuestion({ id: 1, name, type: 'A' }),
});

test('data, control, DNS in clear and packets past the tunnel are told apart', async (t) => {
  const view = await observeProvider(
    stream([
      captured(0, { ...up, payload: control, ipBytes: 82 }),
      captured(1, { ...up, payload: data, ipBytes: 564 }),
      captured(2, { ...down, payload: data, ipBytes: 564 }),
      captured(3, asking('messeji.hello.is')),
      captured(4, asking('messeji.hello.is')),
      captured(5, {
        source: lab.homeAddress,
        destination: '198.51.100.120',
        protocol: 6,
        sourcePort: 1,
        destinationPort: 443,
      }),
    ]),
    { tunnelPort: port },
  );
  t.deepEqual(view.data, { up: [{ timeS: 1, bytes: 564 }], down: [{ timeS: 2, bytes: 564 }] });
  t.deepEqual(view.control, { up: [{ timeS: 0, bytes: 82 }], down: [] });
  t.deepEqual([...view.dnsNames], [['messeji.hello.is', 2]]);
  t.deepEqual(
    [...view.outside],
    [
      [`UDP ${lab.homeAddress} port 5353 to ${lab.dnsAddress} port 53`, 2],
      [`TCP ${lab.homeAddress} port 1 to 198.51.100.120 port 443`, 1],
    ],
  );
});

test('the endpoint on another port than the tunnel’s is outside the tunnel', async (t) => {
  const view = await observeProvider(
    stream([captured(0, { ...up, destinationPort: 80, payload: data })]),
    {
      tunnelPort: port,
    },
  );
  t.is(view.data.up.length, 0);
  t.is(view.outside.size, 1);
});

test('the router’s own word that nobody listens is no device’s, its other ICMP is', async (t) => {
  const quoted = new Uint8Array(28);
  quoted[9] = 17;
  quoted.set([port >> 8, port & 255], 20);
  // Type and code stand where others have a port.
  const icmp = (type: number, payload: Uint8Array) => ({
    ...{ source: lab.homeAddress, destination: lab.endpointAddress, protocol: 1 },
    ...{ sourcePort: type * 256 + 3, payload },
  });
  const view = await observeProvider(
    stream([
      captured(0, icmp(3, quoted)),
      captured(1, icmp(8, quoted)),
      captured(2, icmp(3, new Uint8Array(28))),
    ]),
    { tunnelPort: port },
  );
  t.deepEqual([...view.outside.values()], [2]);
});

test('without a tunnel super-packets are counted as the segments a line would carry', async (t) => {
  const tcp = { ...up, protocol: 6, ipBytes: 52 + 1448 + 1448 + 100 };
  const view = await observeProvider(stream([captured(0, tcp)]), { tunnelPort: null });
  t.deepEqual(
    view.data.up.map(({ bytes }) => bytes),
    [1500, 1500, 152],
  );
});

test('activity is what devices send and get, not what the router says or everybody hears', async (t) => {
  const device = '192.168.8.12';
  const packets = await observeHome(
    stream([
      captured(0, { source: device, destination: '198.51.100.100', ipBytes: 100 }),
      captured(1, { source: '198.51.100.100', destination: device, ipBytes: 200 }),
      captured(2, { source: lab.lanAddress, destination: '192.168.8.255' }),
    ]),
  );
  t.deepEqual(packets, [
    { timeS: 0, bytes: 100, ip: device, direction: 'up' },
    { timeS: 1, bytes: 200, ip: device, direction: 'down' },
  ]);
});

test('a moment is active where a device spoke, and the moment after', (t) => {
  const bins = activeBins([{ timeS: 10.5, bytes: 1 }], 10, 2);
  t.deepEqual(
    bins.map((active, bin) => (active ? bin : -1)).filter((bin) => bin >= 0),
    [2, 3],
  );
});

const options: LabOptions = {
  ...labDefaults,
  variant: 'vit',
  seconds: 10,
  out: '',
  replay: null,
  devices: null,
  alternateS: null,
  dropPercent: 0,
  ipv6: false,
  id: 't',
};

/** Ten seconds of slots every 12.8 ms each way; the device speaks in the seventh second. */
async function shapedRun(
  change: (slot: number) => Partial<{ bytes: number; shiftS: number }> = () => ({}),
) {
  const packets = [];
  for (let slot = 0; slot < 860; slot++) {
    const { bytes = 564, shiftS = 0 } = change(slot);
    const timeS = 999.5 + slot * 0.0128 + shiftS;
    packets.push(captured(timeS, { ...up, payload: data, ipBytes: bytes }));
    packets.push(captured(timeS + 0.001, { ...down, payload: data, ipBytes: 564 }));
  }
  const home = Array.from({ length: 40 }, (_, index) => ({
    timeS: 1006 + index * 0.025,
    bytes: 100,
    ip: '192.168.8.11',
    direction: 'up' as const,
  }));
  const delays: Delay[] = [1, 3, null].map((delayMs, index) => ({
    timeS: 1006 + index,
    device: 'sense',
    direction: 'up',
    protocol: 'udp',
    bytes: 100,
    delayMs,
  }));
  const input: SummaryInput = {
    options,
    startS: 1000,
    provider: await observeProvider(stream(packets), { tunnelPort: port }),
    home,
    delays,
    tunnelPort: port,
    expected: { pps: 78.125, kBps: 40 },
    droppedByProvider: { up: 0, down: 0 },
    replay: null,
    cpuPercent: { home: 1.23, endpoint: 2 },
    captureDrops: 0,
    faults: [],
    versions: { node: 'v20' },
    service: null,
  };
  return { input, summary: summarise(input) };
}

test('a shaped run: one size, the rate within a packet, intervals idle and active', async (t) => {
  const { summary } = await shapedRun();
  t.deepEqual(Object.keys(summary.up.sizes), ['564']);
  t.true(Math.abs(summary.up.offPercent!) < 0.2, `${summary.up.offPercent}`);
  t.true(Math.abs(summary.down.offPercent!) < 0.2, `${summary.down.offPercent}`);
  const { idle, active } = summary.up.intervals;
  t.true(Math.abs(idle.meanMs - 12.8) < 0.01 && idle.sdMs < 0.01);
  // 40 packets over a second, in stretches of 0.2 s and the one after: 1.2 s.
  t.true(active.n > 90 && active.n < 97, `${active.n}`);
  t.deepEqual(summary.outsideTunnel, { packets: 0, what: {} });
});

test('what a leak does shows: a byte short, intervals moved while a device speaks', async (t) => {
  const short = await shapedRun((slot) => (slot % 50 === 0 ? { bytes: 563 } : {}));
  t.deepEqual(Object.keys(short.summary.up.sizes), ['563', '564']);
  const moved = await shapedRun((slot) =>
    slot > 507 && slot < 590 ? { shiftS: (slot % 2) * 0.003 } : {},
  );
  t.true(moved.summary.up.intervals.active.sdMs > 2);
  t.true(moved.summary.up.intervals.idleAgainstActive!.pValue < 0.001);
});

test('an alternating run is judged stretch by stretch', async (t) => {
  const { input } = await shapedRun((slot) => ({
    // Beats of 12.8 ms throughout, but uneven ones in every other second, when devices speak.
    shiftS: Math.floor((slot * 0.0128 - 0.5) / 1) % 2 === 1 ? (slot % 2) * 0.004 : 0,
  }));
  const summary = summarise({ ...input, options: { ...options, alternateS: 1 } });
  t.deepEqual(summary.up.alternating, { pairs: 5, toldApart: 5, significance: 0.05 });
  t.regex(renderTable([summary]), /idle\/active told apart, up +5 of 5 \(KS 5 %\)/);
  t.is(summarise(input).up.alternating, null);
});

test('packets before and after the run count for nothing', async (t) => {
  const { summary } = await shapedRun();
  t.is(Object.values(summary.up.sizes)[0], 781);
});

test('latency: quantiles of what arrived, and what never did', (t) => {
  const delays = [4, 1, 2, 3, null].map(
    (delayMs): Delay => ({
      timeS: 0,
      device: 'echo',
      direction: 'up',
      protocol: 'tcp',
      bytes: 1,
      delayMs,
    }),
  );
  t.deepEqual(measureLatency(delays), {
    sent: 5,
    lost: 1,
    meanMs: 2.5,
    p50Ms: 3,
    p99Ms: 4,
    maxMs: 4,
  });
  t.is(measureLatency([]).meanMs, null);
});

test('the table names every figure, columns aligned', async (t) => {
  const { summary } = await shapedRun();
  const lines = renderTable([summary, summary]).trimEnd().split('\n');
  t.true(new Set(lines.map((line) => line.length)).size === 1);
  t.true(lines.some((line) => /^packet sizes seen, up +1 \(564 B\) +1 \(564 B\)$/.test(line)));
  t.true(lines.some((line) => /^messages lost +1 of 3 +1 of 3$/.test(line)));
  t.notRegex(renderSummary(summary), /outside the tunnel:/);
});

test('the report is one page without anything from elsewhere, every text escaped', async (t) => {
  const { summary, input } = await shapedRun();
  const page = renderReport([
    {
      summary,
      wire: input.provider.data,
      events: [{ timeS: 1006, device: 'sense', event: 'in <bed> & "asleep"' }],
    },
  ]);
  t.true(page.includes('in &#60;bed&#62; &#38; &#34;asleep&#34;'));
  t.notRegex(
    page.replaceAll('http://www.w3.org/2000/svg', ''),
    /(src|href)=|https?:|@import|url\(/,
  );
  t.true(page.includes('Packets of one size only'));
});
