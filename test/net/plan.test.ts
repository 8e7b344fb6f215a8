// Golden files fed to the real nft, tc, ip and OpenVPN, and read back.
import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { EDITION_AT, FIRST, FULLER } from '../../src/core/framing/frame.ts';
import {
  findClockClassFaults,
  findClockFaults,
  findQueueFaults,
} from '../../src/core/home/verification.ts';
import { planClockChange, planHomesClock } from '../../src/core/plan/homes-clock.ts';
import {
  CLOCK_END_NETDEV,
  CLOCK_NETDEV,
  COVER_PORT,
  FRAME_PORT,
  HOME_CLASS_MINOR,
  STRAY_CLASS_MINOR,
  TUNNEL_NETDEV,
} from '../../src/core/plan/names.ts';
import {
  clockTableIn,
  LIST_CLOCK_CHAINS,
  renderClockChains,
  renderNoClockChains,
} from '../../src/core/plan/outer-clock.ts';
import {
  classId,
  renderClassesAdd,
  renderClassRemove,
  renderQueue,
} from '../../src/core/plan/tc.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { goldenCases, homeCases } from '../plan/cases.ts';
import { TcListingReader } from '../stand-ins/tc-listing-reader.ts';
import { addTun, newNamespace, requireNamespaces } from './support.ts';

const AREA = 'iotplan';

async function applyPlans(
  t: ExecutionContext,
  names: readonly string[],
): Promise<Record<string, string>[]> {
  const netns = await newNamespace(t, AREA);
  for (const netdev of ['iot0', 'packer.7', 'br-iot', 'br-lan']) await addTun(netns, netdev);
  const program = 'build/test/net/programs/apply-plans.js';
  // Forty plans one after another, each through tc, nft and ip.
  const { stdout } = await run([process.execPath, program, ...names], {
    netns,
    timeoutMs: 120_000,
  });
  return JSON.parse(stdout);
}

for (const { folder } of goldenCases) {
  test.serial(`nft takes ${folder}, checked and loaded`, async (t) => {
    if (!requireNamespaces(t)) return;
    const netns = await newNamespace(t, AREA);
    const path = `test/golden/${folder}/rules.nft`;
    await run(['nft', '-c', '-f', path], { netns });
    t.is((await run(['nft', 'list', 'ruleset'], { netns })).stdout, '', 'a check loads nothing');
    await run(['nft', '-f', path], { netns });
    const once = (await run(['nft', 'list', 'ruleset'], { netns })).stdout;
    // Loading it again replaces it.
    await run(['nft', '-f', path], { netns });
    t.is((await run(['nft', 'list', 'ruleset'], { netns })).stdout, once);
    const rules = readFileSync(path, 'utf8');
    for (const [chain] of rules.matchAll(/chain \w+/g)) t.true(once.includes(chain));
  });
}

/** What fills both buckets of every class, in bytes a second, as tc lists them. */
function classRates(text: string): Map<string, { rate: number; ceil: number }> {
  const units: Record<string, number> = { bit: 1, Kbit: 1e3, Mbit: 1e6, Gbit: 1e9 };
  const bytes = (amount: string, unit: string): number => (Number(amount) * units[unit]!) / 8;
  return new Map(
    Array.from(
      text.matchAll(/^class htb (\S+) .*rate (\d+)(\w+) ceil (\d+)(\w+) /gm),
      ([, id, rate, rateUnit, ceil, ceilUnit]) => [
        id!,
        { rate: bytes(rate!, rateUnit!), ceil: bytes(ceil!, ceilUnit!) },
      ],
    ),
  );
}

for (const { folder, files } of goldenCases) {
  test.serial(`tc makes the queue of ${folder}, and it is found in order`, async (t) => {
    if (!requireNamespaces(t)) return;
    const netns = await newNamespace(t, AREA);
    await addTun(netns, 'iotvpn0');
    await run(['tc', '-batch', `test/golden/${folder}/queue.tc`], { netns });
    const asked = [
      ...files['queue.tc']!.matchAll(
        /^class add .* classid 1:(\w+) htb rate (\d+)bps ceil (\d+)bps/gm,
      ),
    ];
    const minors = asked.map(([, minor]) => Number.parseInt(minor!, 16));
    const classes = (await run(['tc', '-s', 'class', 'show', 'dev', 'iotvpn0'], { netns })).stdout;
    const qdiscs = (await run(['tc', 'qdisc', 'show', 'dev', 'iotvpn0'], { netns })).stdout;
    const reader = new TcListingReader();
    for (const line of `${classes}${qdiscs}`.split('\n')) reader.push(line);
    const listing = reader.take();
    t.deepEqual(findQueueFaults({ listing, minors }, [STRAY_CLASS_MINOR]), []);
    t.true(qdiscs.includes(folder.startsWith('home/') ? 'default 0x10' : 'default 0xfffe'));
    const rates = classRates(classes);
    for (const [, minor, rate, ceil] of asked) {
      const wanted = { rate: Number(rate), ceil: Number(ceil) };
      t.deepEqual(rates.get(`1:${minor}`), wanted, classes);
    }
    const filters = (await run(['tc', 'filter', 'show', 'dev', 'iotvpn0'], { netns })).stdout;
    const bytecodes = (text: string) => [...text.matchAll(/bytecode '[\d, ]+'/g)].map(String);
    t.deepEqual(bytecodes(filters), bytecodes(files['queue.tc']!));
    if (folder.startsWith('home/')) t.deepEqual(minors, [HOME_CLASS_MINOR]);
  });
}

/** A namespace with the tunnel's netdev, whose other end is `far`. @param host the last byte of its address @param others those of who is known there */
async function newTunnel(
  t: ExecutionContext,
  host: number,
  others: readonly number[],
): Promise<string> {
  const netns = await newNamespace(t, AREA);
  // What the kernel sends by itself would be counted among strays.
  const shut = 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6';
  await run(['sh', '-ec', shut], { netns });
  const ip = (words: string) => run(['ip', ...words.split(' ')], { netns });
  // A tun netdev that nobody reads has no carrier, and drops all.
  await ip(`link add ${TUNNEL_NETDEV} type veth peer name far`);
  for (const netdev of [TUNNEL_NETDEV, 'far']) await ip(`link set ${netdev} up`);
  await ip(`addr add 10.213.0.${host}/24 dev ${TUNNEL_NETDEV}`);
  for (const other of others)
    await ip(`neigh add 10.213.0.${other} lladdr 02:00:00:00:00:01 dev ${TUNNEL_NETDEV}`);
  return netns;
}

test.serial(
  'each home’s packets come to its own class, and one that leaves takes no other’s',
  async (t) => {
    if (!requireNamespaces(t)) return;
    const hosts = [2, 3, 0x10, 0xfd, 0xfe];
    const netns = await newTunnel(t, 1, hosts);
    const shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 } as const;
    const classes = hosts.map((minor) => ({ minor, shape, isShared: true }));
    // One home there is not, whose packets are nobody's.
    const [there, absent] = [classes.slice(0, -1), classes.at(-1)!];
    const tc = (lines: readonly string[]) =>
      run(['tc', '-batch', '-'], { netns, input: `${lines.join('\n')}\n` });
    /** Sends as many to each home as its place in the list says, and counts what came to each class. */
    const send = async (): Promise<Record<string, number>> => {
      const before = await counts();
      const script = `
      const socket = require('node:dgram').createSocket('udp4');
      const all = ${JSON.stringify(hosts.flatMap((host, k) => Array(k + 1).fill(`10.213.0.${host}`)))};
      Promise.all(all.map((to) => new Promise((done) => socket.send('x', 9, to, done))))
        .then(() => socket.close());`;
      await run([process.execPath, '-e', script], { netns });
      const after = Object.entries(await counts());
      return Object.fromEntries(after.map(([id, count]) => [id, count - (before[id] ?? 0)]));
    };
    const counts = async (): Promise<Record<string, number>> => {
      const show = ['tc', '-s', 'class', 'show', 'dev', TUNNEL_NETDEV];
      const reader = new TcListingReader();
      for (const line of (await run(show, { netns })).stdout.split('\n')) reader.push(line);
      const listed = reader.take().classes;
      return Object.fromEntries(listed.map((one) => [one.id, one.packets + one.backlogPackets]));
    };
    const stray = classId(STRAY_CLASS_MINOR);
    const whole = { '1:2': 1, '1:3': 2, '1:10': 3, '1:fd': 4, [stray]: 5 };
    await tc(renderQueue(there));
    t.deepEqual(await send(), whole);
    await tc([renderClassRemove(there[1]!)]);
    t.deepEqual(await send(), { '1:2': 1, '1:10': 3, '1:fd': 4, [stray]: 7 });
    await tc(renderClassesAdd([there[1]!]));
    t.deepEqual(await send(), whole);
    await tc(renderClassesAdd([absent]));
    t.deepEqual(await send(), { ...whole, '1:fe': 5, [stray]: 0 });
  },
);

test.serial(
  'a fuller frame overtakes the one that it is an edition of, and both go ahead of cover',
  async (t) => {
    if (!requireNamespaces(t)) return;
    const netns = await newTunnel(t, 2, [1]);
    await run(['nft', '-f', 'test/golden/home/default/rules.nft'], { netns });
    await run(['nft', 'add element inet iotshaper alive { ip }'], { netns });
    // Half a second a slot: all stands there before the second leaves.
    const shape = { rateKBps: 1, packetBytes: 512, mode: 'constant', sdPercent: 0 } as const;
    const queue = renderQueue([{ minor: HOME_CLASS_MINOR, shape, isShared: false }]);
    await run(['tc', '-batch', '-'], { netns, input: `${queue.join('\n')}\n` });
    // Port and edition of what is sent, in that order.
    const sent = [
      [COVER_PORT, 0],
      [COVER_PORT, 0],
      [FRAME_PORT, FIRST],
      [FRAME_PORT, FULLER],
    ];
    const script = `
    const { spawn } = require('node:child_process');
    const words = ['-i', 'far', '-c', '${sent.length}', '-w', '-', '-U', 'udp'];
    const capture = spawn('tcpdump', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const pieces = [];
    capture.stdout.on('data', (piece) => pieces.push(piece));
    capture.stderr.once('data', async () => {
      const socket = require('node:dgram').createSocket('udp4');
      for (const [port, edition] of ${JSON.stringify(sent)}) {
        const payload = Buffer.alloc(512 - 28);
        payload[${EDITION_AT}] = edition;
        await new Promise((done) => socket.send(payload, port, '10.213.0.1', done));
      }
      socket.close();
    });
    capture.once('close', () => {
      const all = Buffer.concat(pieces);
      const seen = [];
      // A file header, and before each IP header one of its own and Ethernet's.
      for (let at = 24 + 16 + 14; at < all.length; at += 512 + 16 + 14)
        seen.push([all.readUInt16BE(at + 22), all[at + 28 + ${EDITION_AT}]]);
      console.log(JSON.stringify(seen));
    });`;
    const { stdout } = await run([process.execPath, '-e', script], { netns });
    t.deepEqual(JSON.parse(stdout), [sent[0], sent[3], sent[2], sent[1]]);
  },
);

test.serial('tc and nft make the clock behind OpenVPN, and it is found in order', async (t) => {
  if (!requireNamespaces(t)) return;
  const netns = await newNamespace(t, AREA);
  await addTun(netns, 'wan');
  const pair = [CLOCK_NETDEV, 'type', 'veth', 'peer', 'name', CLOCK_END_NETDEV];
  await run(['ip', 'link', 'add', ...pair], { netns });
  await run(['tc', '-batch', 'test/golden/home/default/clock.tc'], { netns });
  const show = async (...words: string[]) => (await run(['tc', '-s', ...words], { netns })).stdout;
  const listed =
    (await show('class', 'show', 'dev', CLOCK_NETDEV)) +
    (await show('qdisc', 'show', 'dev', CLOCK_NETDEV));
  const reader = new TcListingReader();
  for (const line of [...listed.split('\n'), 'qdisc htb 1: root']) reader.push(line);
  t.deepEqual(findClockFaults(reader.take(), HOME_CLASS_MINOR), [], listed);
  for (const address of ['203.0.113.10', '2001:db8::a']) {
    for (const isEthernet of [true, false]) {
      const way = { netdev: 'wan', index: 1, isEthernet, port: 1194, address };
      await run(['nft', '-f', '-'], { netns, input: renderClockChains(way, HOME_CLASS_MINOR, 0) });
      const { stdout } = await run(['nft', '-f', '-'], { netns, input: LIST_CLOCK_CHAINS });
      t.regex(clockTableIn(stdout), /hook egress device "wan"[\s\S]*fwd (\S+ )?to/);
      await run(['nft', '-f', '-'], { netns, input: renderNoClockChains() });
    }
  }
});

test.serial(
  'tc and nft make an endpoint’s clock, change it, and all of it is found in order',
  async (t) => {
    if (!requireNamespaces(t)) return;
    const netns = await newNamespace(t, AREA);
    await addTun(netns, 'eth0');
    const pair = [CLOCK_NETDEV, 'type', 'veth', 'peer', 'name', CLOCK_END_NETDEV];
    await run(['ip', 'link', 'add', ...pair], { netns });
    const shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 } as const;
    const classes = [2, 0xfe].map((minor) => ({ minor, shape, standing: minor === 2 ? 2 : 0 }));
    const places = [
      { host: 2, address: '198.51.100.7', port: 40_000 },
      { host: 0xfe, address: '2001:db8::7', port: null },
    ];
    const nft = async (input: string) => (await run(['nft', '-f', '-'], { netns, input })).stdout;
    const tc = (lines: readonly string[]) =>
      run(['tc', '-batch', '-'], { netns, input: `${lines.join('\n')}\n` });
    for (const isEthernet of [true, false]) {
      const way = { netdev: 'eth0', index: 1, isEthernet, port: 1194 };
      const { queue, chains } = planHomesClock({ way, classes, places }, 0);
      if (isEthernet) await tc(queue);
      await nft(chains);
      const made = clockTableIn(await nft(LIST_CLOCK_CHAINS));
      t.regex(made, /198\.51\.100\.7 \. 40000 : 2:2 [\s\S]*2001:db8::7 : 2:fe /);
      const change = { gone: [2], come: [classes[0]!], rules: 'places' } as const;
      const { gone, come, rules } = planClockChange({ way, classes, places: [] }, change, 0);
      await tc([...gone, ...come]);
      await nft(rules);
      t.notRegex(clockTableIn(await nft(LIST_CLOCK_CHAINS)), /198\.51\.100\.7|2001:db8::7/);
    }
    const show = async (...words: string[]) =>
      (await run(['tc', '-s', ...words], { netns })).stdout;
    const reader = new TcListingReader();
    const listed =
      (await show('class', 'show', 'dev', CLOCK_NETDEV)) +
      (await show('qdisc', 'show', 'dev', CLOCK_NETDEV));
    for (const line of listed.split('\n')) reader.push(line);
    const { clock } = reader.take();
    for (const { minor } of classes) t.deepEqual(findClockClassFaults(clock!, minor), [], listed);
  },
);

for (const name of homeCases) {
  test.serial(`ip takes the rules and routes of ${name}`, async (t) => {
    if (!requireNamespaces(t)) return;
    const netns = await newNamespace(t, AREA);
    for (const netdev of ['iot0', 'packer.7', 'br-iot', 'br-lan']) await addTun(netns, netdev);
    await run(['sh', '-e', `test/golden/home/${name}/routes`], { netns });
    const rules = (await run(['ip', 'rule', 'show', 'pref', '721'], { netns })).stdout;
    t.regex(rules, /^721:\tfrom all fwmark 0x10000000\/0x30000000 lookup 7213 proto 73\n$/);
    const netdev = name === 'own-names' ? 'packer.7' : 'iot0';
    for (const family of ['-4', '-6']) {
      const routes = (await run(['ip', family, 'route', 'show', 'table', '7213'], { netns }))
        .stdout;
      t.regex(routes, /^unreachable default .*metric 4278198272/m);
      const through = family === '-4' || !['shut', 'unanswered', 'no-ipv6'].includes(name);
      t.is(routes.includes(`default dev ${netdev} `), through, routes);
    }
  });
}

test.serial('whatever stood before, the last plan is what stands', async (t) => {
  if (!requireNamespaces(t)) return;
  const names = [...homeCases, 'nothing'];
  const alone = new Map<string, Record<string, string>>();
  for (const name of names) alone.set(name, (await applyPlans(t, [name]))[0]!);
  t.is(alone.get('nothing')?.nft, '');
  t.is(alone.get('nothing')?.['route -4'], '');
  t.true(alone.get('default')?.['route -4']?.includes('unreachable default table 7213'));
  t.true(alone.get('own-names')?.['route -6']?.includes('dev packer.7 table 7213'));
  const seed = Number(process.env.SEED ?? 1);
  const random = seededRandom(seed);
  const walk = Array.from({ length: 40 }, () => names[Math.floor(random() * names.length)]!);
  const found = await applyPlans(t, walk);
  for (const [step, name] of walk.entries()) {
    t.deepEqual(
      found[step],
      alone.get(name),
      `seed ${seed}, step ${step}: ${walk.slice(0, step + 1)}`,
    );
  }
});
