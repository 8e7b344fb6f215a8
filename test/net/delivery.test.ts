// Devices that get nothing: what other programs on the router, the server and the way do to them, and what both ends say.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Status } from '../../src/core/home/api.ts';
import { askLocalApi } from '../../src/shell/machine/local-api.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { CLOUD, HomeNetwork } from './home-network.ts';

interface Finding {
  code: string;
  values: Record<string, unknown>;
}

interface EndpointStatus {
  reason: string;
  warning_notices: Finding[];
  port: { arrived: number | null };
}

let network: HomeNetwork;

test.before(async () => {
  network = await HomeNetwork.build({ id: 'deliver' });
  await network.startCloud();
});

test.after.always(() => network?.close());

/** Waits until the home, or the endpoint, says so. */
async function awaitThat<S>(
  ask: () => Promise<S | null>,
  isSo: (status: S) => boolean,
): Promise<S> {
  const untilMs = performance.now() + 60_000;
  for (;;) {
    const status = await ask();
    if (status && isSo(status)) return status;
    if (performance.now() > untilMs) throw new Error(`it never came: ${JSON.stringify(status)}`);
    await new Promise((wait) => setTimeout(wait, 200)); // neither end tells by itself here
  }
}

const home = (isSo: (status: Status) => boolean) => awaitThat(() => network.status(), isSo);

function endpoint(isSo: (status: EndpointStatus) => boolean): Promise<EndpointStatus> {
  const question = { method: 'status' };
  const ask = () => askLocalApi(nodeSystem, socketOfEndpoint(), question, 20_000);
  return awaitThat(() => ask() as Promise<EndpointStatus>, isSo);
}

async function served(t: ExecutionContext): Promise<void> {
  const { reason } = await home((status) => status.trouble === undefined);
  t.regex(reason, /^Your provider sees one steady stream/);
  t.like(await network.device('echo', CLOUD, '100,3'), { missing: 0 });
}

/** Has a device talk while something is in its way. */
async function whileTalking<T>(work: () => Promise<T>): Promise<T> {
  const talk = network.startDevice('chatter');
  try {
    return await work();
  } finally {
    talk.kill();
  }
}

const docker = readFileSync('test/fixtures/firewall/docker-like.nft', 'utf8');
const ufw = readFileSync('test/fixtures/firewall/ufw-like.nft', 'utf8');

const socketOfEndpoint = () => join(network.path('run-endpoint'), 'api.sock');

/** What the running endpoint finds on its machine when it is asked. */
async function doctor(): Promise<Finding[]> {
  const ask = () => askLocalApi(nodeSystem, socketOfEndpoint(), { method: 'doctor' }, 60_000);
  const { warning_notices: all } = (await ask()) as { warning_notices: Finding[] };
  // On a machine that is slow enough that much is quiet.
  return all.filter(({ code }) => code !== 'endpoint-port-quiet');
}

/** Types what was printed. */
async function obey(findings: readonly Finding[]): Promise<void> {
  for (const { values } of findings)
    await network.netns('endpoint', ['sh', '-c', String(values.command)]);
}

test.serial(
  'firewalls before a home’s first connection: each end says where to look',
  async (t) => {
    const provider =
      'table inet provider {\nchain f {\ntype filter hook forward priority 0;\nudp dport 1194 drop\n}\n}\n';
    await network.netns('provider', ['nft', '-f', '-'], provider);
    const letIn = () => network.netns('provider', ['nft', 'delete', 'table', 'inet', 'provider']);
    t.teardown(() => letIn().catch(() => {}));
    network.startEndpoint();
    network.startHome();
    const { reason } = await home(({ reason: said }) => /answers otherwise/.test(said));
    t.regex(
      reason,
      /nothing answers at 203\.0\.113\.10:1194 over UDP, though the server there answers/,
    );
    t.regex(reason, /"iotshaper endpoint doctor", .* let UDP port 1194 in in the firewall/);
    const words = ['doctor', '--run-dir', network.path('run-endpoint')];
    t.regex(
      await network.endpoint(...words),
      /^Nothing found on this server\. But nothing has come to UDP port 1194 since the service started \d+ s ago: .*hosting provider/,
    );

    // The server's own, as ufw without the port.
    const closed = readFileSync('test/fixtures/real-homes/fw-ufw-closed.nft', 'utf8');
    await network.netns('endpoint', ['nft', '-f', '-'], closed);
    await letIn();
    const findings = await doctor();
    t.deepEqual(findings.map(({ code }) => code).sort(), [
      'endpoint-port-closed',
      'homes-dropped-by',
    ]);
    await network.reread();
    await endpoint(({ port }) => (port.arrived ?? 0) > 0);
    t.regex((await network.status())!.reason, /nothing answers at/);
    await obey(findings);
    // OpenVPN pauses between two tries.
    await network.reread();
    await network.await('shaping');
    await served(t);
    t.deepEqual(await doctor(), []);
    t.regex(
      await network.endpoint(...words),
      /^Nothing found on this server\. Something came to UDP/,
    );
    await network.netns('endpoint', ['nft', 'delete', 'table', 'ip', 'filter']);
  },
);

const lonely: [what: string, rules: string, code: string][] = [
  [
    'what homes say inside the tunnel',
    'chain in {\ntype filter hook input priority 0; policy drop;\nudp dport 1194 accept\niifname { "lo", "iot0" } accept\n}',
    'homes-unheard-by',
  ],
  [
    'what the Internet answers',
    'chain f {\ntype filter hook forward priority 0; policy drop;\niifname "iot0" accept\n}',
    'homes-answers-dropped-by',
  ],
  [
    'names',
    'chain in {\ntype filter hook input priority 0; policy drop;\nudp dport 1194 accept\niifname { "lo", "iotvpn0" } accept\nct state established accept\n}',
    'homes-names-dropped-by',
  ],
];

for (const [what, rules, code] of lonely) {
  test.serial(
    `a firewall on the server that drops ${what}: named, and its command mends it`,
    async (t) => {
      await network.netns('endpoint', ['nft', '-f', '-'], `table inet lonely {\n${rules}\n}\n`);
      const remove = () => network.netns('endpoint', ['nft', 'delete', 'table', 'inet', 'lonely']);
      t.teardown(() => remove().catch(() => {}));
      await whileTalking(async () => {
        const found = await endpoint(({ warning_notices: all }) =>
          all.some((finding) => finding.code === code),
        );
        const [{ values }] = found.warning_notices as [Finding];
        t.regex(String(values.command), /^nft insert rule inet lonely \w+ iifname "iot/);
        await obey(found.warning_notices);
        await endpoint(({ warning_notices: all }) => all.length === 0);
      });
      await home(({ state, trouble }) => state === 'shaping' && trouble === undefined);
      await remove();
    },
  );
}

test.serial('Docker on the router: its chain is named, with the command that helps', async (t) => {
  await network.netns('router', ['nft', '-f', '-'], docker);
  t.teardown(() =>
    network.netns('router', ['nft', 'delete', 'table', 'ip', 'filter']).catch(() => {}),
  );
  await whileTalking(async () => {
    const status = await home(({ trouble_code: code }) => code === 'devices-dropped-by');
    t.regex(status.reason, /^Your devices get no answers: .*"ip filter FORWARD"/);
    t.notRegex(status.reason, /can't tell/);
    const command = String(status.trouble_values?.command).replace('; ', '\n');
    await network.netns('router', ['nft', '-f', '-'], command.replaceAll(/^nft /gm, ''));
    await home(({ trouble }) => trouble === undefined);
  });
  await served(t);
});

test.serial(
  'Docker on the server: both ends say that it does not forward, devices or none',
  async (t) => {
    await network.netns('endpoint', ['nft', '-f', '-'], docker);
    const remove = () => network.netns('endpoint', ['nft', 'delete', 'table', 'ip', 'filter']);
    t.teardown(() => remove().catch(() => {}));
    const { reason } = await endpoint(
      ({ warning_notices: [first] }) => first?.code === 'homes-dropped-by',
    );
    t.regex(reason, /^Homes’ devices get no answers: .*"ip filter FORWARD"/);
    await home(({ trouble_code: code }) => code === 'endpoint-forwards-nothing');
    await remove();
    await served(t);
  },
);

test.serial(
  'ufw on the server: what is asked of the resolver is missed, not only what is forwarded',
  async (t) => {
    await network.netns('endpoint', ['nft', '-f', '-'], ufw);
    const remove = () => network.netns('endpoint', ['nft', 'delete', 'table', 'ip', 'filter']);
    t.teardown(() => remove().catch(() => {}));
    await endpoint(({ warning_notices: all }) =>
      all.some(({ code }) => code === 'homes-dropped-by'),
    );
    await home(({ trouble_code: code }) => code === 'endpoint-forwards-nothing');
    await remove();
    await served(t);
  },
);

/** What a process runs; '' once it has ended. */
function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return '';
  }
}

test.serial(
  'another program has port 53 of the server: it is named, and the resolver takes it once it is free',
  async (t) => {
    // Takes the port as soon as the resolver that has it is gone.
    const script = `const take = () => {
      const socket = require('node:dgram').createSocket('udp4');
      socket.on('error', () => setTimeout(take, 5)).bind(53, '0.0.0.0');
    };
    take();
    console.log('ready');`;
    const holder = network.start('endpoint', [process.execPath, '-e', script]);
    t.teardown(() => holder.kill('SIGKILL'));
    await once(holder.stdout!, 'data');
    const pids = await network.netns('endpoint', [
      'ip',
      'netns',
      'pids',
      network.topology.names.endpoint,
    ]);
    const resolver = pids
      .trim()
      .split('\n')
      .find((pid) => nameOf(pid) === 'dnsmasq\n');
    process.kill(Number(resolver), 'SIGKILL');
    const { reason } = await endpoint(
      ({ warning_notices: [first] }) => first?.code === 'resolver-port-taken',
    );
    t.regex(reason, /since .* has port 53 on 10\.214\.0\.1/);
    await home(({ trouble_code: code }) => code === 'endpoint-resolver-without-port');
    holder.kill('SIGKILL');
    await served(t);
  },
);

test.serial('a resolver that can ask nobody is found by asking it', async (t) => {
  const cut =
    'table inet cut {\nchain out {\ntype filter hook output priority filter;\noifname "eth0" udp dport 53 drop\n}\n}\n';
  await network.netns('endpoint', ['nft', '-f', '-'], cut);
  const remove = () => network.netns('endpoint', ['nft', 'delete', 'table', 'inet', 'cut']);
  t.teardown(() => remove().catch(() => {}));
  await home(({ trouble_code: code }) => code === 'names-unanswered' || code === 'names-refused');
  await remove();
  await served(t);
});

test.serial(
  'a server’s line of 1400 bytes that tells nobody so: downloads arrive all the same',
  async (t) => {
    await network.netns('endpoint', ['ip', 'link', 'set', 'eth0', 'mtu', '1400']);
    await network.netns('provider', ['ip', 'link', 'set', 'vps', 'mtu', '1400']);
    const table =
      'table inet nofrag {\nchain o {\ntype filter hook output priority filter;\nicmp type destination-unreachable icmp code frag-needed drop\n}\n}\n';
    await network.netns('provider', ['nft', '-f', '-'], table);
    const got = await network.device('download', CLOUD, '200000');
    t.deepEqual(got, { intact: true, bytes: 200_000 });
    await network.netns('provider', ['nft', 'delete', 'table', 'inet', 'nofrag']);
    await network.netns('endpoint', ['ip', 'link', 'set', 'eth0', 'mtu', '1500']);
    await network.netns('provider', ['ip', 'link', 'set', 'vps', 'mtu', '1500']);
  },
);

test.serial(
  'packets that leave in pieces, and then are lost, are named with a size that fits',
  async (t) => {
    await network.configure(["option packet_size '1400'"]);
    await network.reload();
    await network.netns('router', ['ip', 'link', 'set', 'wan', 'mtu', '1420']);
    const status = await home(({ config }) =>
      config.warning_notices.some(({ code }) => code === 'packets-in-pieces'),
    );
    t.regex(status.config.warnings.join('\n'), /uci set iotshaper\.main\.packet_size=13[46]8;/);
    await network.netns('router', ['ip', 'link', 'set', 'wan', 'mtu', '1500']);
    const hole =
      'table inet hole {\nchain f {\ntype filter hook prerouting priority 0;\nmeta length > 1420 counter drop\n}\n}\n';
    await network.netns('provider', ['nft', '-f', '-'], hole);
    const lost = await home(({ fault_code: code }) => code === 'size-lost');
    t.is(lost.fault_values?.size, 1400);
    t.true(Number(lost.fault_values?.fits) <= 1300);
    await network.netns('provider', ['nft', 'delete', 'table', 'inet', 'hole']);
    await network.await('shaping', 90_000);
  },
);
