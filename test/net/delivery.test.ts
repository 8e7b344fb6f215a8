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

const PATIENCE_MS = 120_000;

/**
 * One home and its endpoint, in which something is planted case by case. Several go on side by side: most of the time they
 * wait until some questions in a row went unanswered.
 */
class DeliveryLab {
  readonly #id: string;
  readonly #main: string[];
  #network: HomeNetwork | null = null;
  /** The end of the case before. */
  #turn: Promise<unknown> = Promise.resolve();
  /** What the case planted. */
  readonly #planted: (() => Promise<unknown>)[] = [];

  /** @param main lines of the home's section main */
  constructor(id: string, main: string[] = []) {
    this.#id = id;
    this.#main = main;
  }

  get network(): HomeNetwork {
    return this.#network!;
  }

  async build(): Promise<void> {
    this.#network = await HomeNetwork.build({ id: this.#id, main: this.#main });
    await this.#network.startCloud();
  }

  async close(): Promise<void> {
    await this.#network?.close();
  }

  start(): void {
    this.network.startEndpoint();
    this.network.startHome();
  }

  /** A test that begins once the one before it in this lab is over, and all that it planted gone. */
  case(title: string, work: (t: ExecutionContext) => Promise<void>): void {
    test(title, (t) => {
      const over = this.#turn.then(async () => {
        try {
          await work(t);
        } finally {
          // What the case has taken away by itself is gone.
          for (const remove of this.#planted.splice(0)) await remove().catch(() => {});
        }
      });
      this.#turn = over.catch(() => {});
      return over;
    });
  }

  /** Loads rules of another program; what is returned takes their table away. */
  async plant(
    place: 'router' | 'provider' | 'endpoint',
    table: string,
    rules: string,
  ): Promise<() => Promise<unknown>> {
    const remove = () => this.network.netns(place, ['nft', 'delete', 'table', ...table.split(' ')]);
    this.#planted.push(remove);
    await this.network.netns(place, ['nft', '-f', '-'], rules);
    return remove;
  }

  /** Waits until the home says so. */
  home(isSo: (status: Status) => boolean): Promise<Status> {
    return awaitThat(() => this.network.status(), isSo);
  }

  /** Waits until the endpoint says so. */
  endpoint(isSo: (status: EndpointStatus) => boolean): Promise<EndpointStatus> {
    const ask = () => askLocalApi(nodeSystem, this.#socket, { method: 'status' }, 20_000);
    return awaitThat(() => ask() as Promise<EndpointStatus>, isSo);
  }

  async served(t: ExecutionContext): Promise<void> {
    await this.home(
      ({ trouble, reason }) =>
        trouble === undefined && /^Your provider sees one steady stream/.test(reason),
    );
    t.like(await this.network.device('echo', CLOUD, '100,3'), { missing: 0 });
  }

  /** Has a device talk, or ask for names, while something is in its way. */
  async during<T>(action: 'chatter' | 'names', work: () => Promise<T>): Promise<T> {
    const talk = this.network.startDevice(action);
    try {
      return await work();
    } finally {
      talk.kill();
    }
  }

  /** What the running endpoint finds on its machine when it is asked. */
  async doctor(): Promise<Finding[]> {
    const ask = () => askLocalApi(nodeSystem, this.#socket, { method: 'doctor' }, 60_000);
    const { warning_notices: all } = (await ask()) as { warning_notices: Finding[] };
    // On a machine that is slow enough that much is quiet.
    return all.filter(({ code }) => code !== 'endpoint-port-quiet');
  }

  /** Types what was printed. */
  async obey(findings: readonly Finding[]): Promise<void> {
    for (const { values } of findings)
      await this.network.netns('endpoint', ['sh', '-c', String(values.command)]);
  }

  get #socket(): string {
    return join(this.network.path('run-endpoint'), 'api.sock');
  }
}

/** Asks anew until it is so. */
async function awaitThat<S>(
  ask: () => Promise<S | null>,
  isSo: (status: S) => boolean,
): Promise<S> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const status = await ask();
    if (status && isSo(status)) return status;
    if (performance.now() > untilMs) throw new Error(`it never came: ${JSON.stringify(status)}`);
    await new Promise((wait) => setTimeout(wait, 200)); // neither end tells by itself here
  }
}

// What devices send is little: it need not keep this machine busy.
const calm = ["option rate '20'"];
const firewalls = new DeliveryLab('deliver1', calm);
const neighbours = new DeliveryLab('deliver2', calm);
const line = new DeliveryLab('deliver3');
const labs = [firewalls, neighbours, line];

test.before(() => Promise.all(labs.map((lab) => lab.build())));

test.after.always(() => Promise.all(labs.map((lab) => lab.close())));

const docker = readFileSync('test/fixtures/firewall/docker-like.nft', 'utf8');
const ufw = readFileSync('test/fixtures/firewall/ufw-like.nft', 'utf8');

firewalls.case(
  'firewalls before a home’s first connection: each end says where to look',
  async (t) => {
    const { network } = firewalls;
    const letIn = await firewalls.plant(
      'provider',
      'inet provider',
      'table inet provider {\nchain f {\ntype filter hook forward priority 0;\nudp dport 1194 drop\n}\n}\n',
    );
    firewalls.start();
    const { reason } = await firewalls.home(({ reason: said }) => /answers otherwise/.test(said));
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
    const remove = await firewalls.plant('endpoint', 'ip filter', closed);
    await letIn();
    const findings = await firewalls.doctor();
    t.deepEqual(findings.map(({ code }) => code).sort(), [
      'endpoint-port-closed',
      'homes-dropped-by',
    ]);
    await network.reread();
    await firewalls.endpoint(({ port }) => (port.arrived ?? 0) > 0);
    t.regex((await network.status())!.reason, /nothing answers at/);
    await firewalls.obey(findings);
    // OpenVPN pauses between two tries.
    await network.reread();
    await network.await('shaping');
    await firewalls.served(t);
    t.deepEqual(await firewalls.doctor(), []);
    t.regex(
      await network.endpoint(...words),
      /^Nothing found on this server\. Something came to UDP/,
    );
    await remove();
  },
);

const lonely: [what: string, device: 'chatter' | 'names', rules: string, code: string][] = [
  [
    'what homes say inside the tunnel',
    'chatter',
    'chain in {\ntype filter hook input priority 0; policy drop;\nudp dport 1194 accept\niifname { "lo", "iot0" } accept\n}',
    'homes-unheard-by',
  ],
  [
    'what the Internet answers',
    'chatter',
    'chain f {\ntype filter hook forward priority 0; policy drop;\niifname "iot0" accept\n}',
    'homes-answers-dropped-by',
  ],
  [
    'names',
    'names',
    'chain in {\ntype filter hook input priority 0; policy drop;\nudp dport 1194 accept\niifname { "lo", "iotvpn0" } accept\nct state established accept\n}',
    'homes-names-dropped-by',
  ],
];

for (const [what, device, rules, code] of lonely) {
  firewalls.case(
    `a firewall on the server that drops ${what}: named, and its command mends it`,
    async (t) => {
      const remove = await firewalls.plant(
        'endpoint',
        'inet lonely',
        `table inet lonely {\n${rules}\n}\n`,
      );
      await firewalls.during(device, async () => {
        const found = await firewalls.endpoint(({ warning_notices: all }) =>
          all.some((finding) => finding.code === code),
        );
        const [{ values }] = found.warning_notices as [Finding];
        t.regex(String(values.command), /^nft insert rule inet lonely \w+ iifname "iot/);
        await firewalls.obey(found.warning_notices);
        await firewalls.endpoint(({ warning_notices: all }) => all.length === 0);
      });
      await firewalls.home(({ state, trouble }) => state === 'shaping' && trouble === undefined);
      await remove();
    },
  );
}

neighbours.case(
  'Docker on the router: its chain is named, with the command that helps',
  async (t) => {
    neighbours.start();
    await neighbours.network.await('shaping');
    await neighbours.plant('router', 'ip filter', docker);
    await neighbours.during('chatter', async () => {
      const status = await neighbours.home(
        ({ trouble_code: code }) => code === 'devices-dropped-by',
      );
      t.regex(status.reason, /^Your devices get no answers: .*"ip filter FORWARD"/);
      t.notRegex(status.reason, /can't tell/);
      // As the page's button has it mended.
      const socket = join(neighbours.network.path('run-home'), 'api.sock');
      const mend = (code: string) =>
        askLocalApi(nodeSystem, socket, { method: 'mend', code }, 20_000);
      t.like(await mend('auto-includes-off'), { ok: false, reason_code: 'nothing-to-mend' });
      t.deepEqual(await mend('devices-dropped-by'), { ok: true });
      await neighbours.home(({ trouble }) => trouble === undefined);
    });
    await neighbours.served(t);
  },
);

neighbours.case(
  'Docker on the server: both ends say that it does not forward, devices or none',
  async (t) => {
    const remove = await neighbours.plant('endpoint', 'ip filter', docker);
    const { reason } = await neighbours.endpoint(
      ({ warning_notices: [first] }) => first?.code === 'homes-dropped-by',
    );
    t.regex(reason, /^Homes’ devices get no answers: .*"ip filter FORWARD"/);
    await neighbours.home(({ trouble_code: code }) => code === 'endpoint-forwards-nothing');
    await remove();
    await neighbours.served(t);
  },
);

neighbours.case(
  'ufw on the server: what is asked of the resolver is missed, not only what is forwarded',
  async (t) => {
    const remove = await neighbours.plant('endpoint', 'ip filter', ufw);
    await neighbours.endpoint(({ warning_notices: all }) =>
      all.some(({ code }) => code === 'homes-dropped-by'),
    );
    await neighbours.home(({ trouble_code: code }) => code === 'endpoint-forwards-nothing');
    await remove();
    await neighbours.served(t);
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

neighbours.case(
  'another program has port 53 of the server: it is named, and the resolver takes it once it is free',
  async (t) => {
    const { network } = neighbours;
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
    const { reason } = await neighbours.endpoint(
      ({ warning_notices: [first] }) => first?.code === 'resolver-port-taken',
    );
    t.regex(reason, /since .* has port 53 on 10\.214\.0\.1/);
    await neighbours.home(({ trouble_code: code }) => code === 'endpoint-resolver-without-port');
    holder.kill('SIGKILL');
    await neighbours.served(t);
  },
);

line.case('a resolver that can ask nobody is found by asking it', async (t) => {
  const remove = await line.plant(
    'endpoint',
    'inet cut',
    'table inet cut {\nchain out {\ntype filter hook output priority filter;\noifname "eth0" udp dport 53 drop\n}\n}\n',
  );
  // It is asked as soon as devices may send.
  line.start();
  await line.home(
    ({ trouble_code: code }) => code === 'names-unanswered' || code === 'names-refused',
  );
  await remove();
  await line.served(t);
});

line.case(
  'a server’s line of 1400 bytes that tells nobody so: downloads arrive all the same',
  async (t) => {
    const { network } = line;
    await network.netns('endpoint', ['ip', 'link', 'set', 'eth0', 'mtu', '1400']);
    await network.netns('provider', ['ip', 'link', 'set', 'vps', 'mtu', '1400']);
    const remove = await line.plant(
      'provider',
      'inet nofrag',
      'table inet nofrag {\nchain o {\ntype filter hook output priority filter;\nicmp type destination-unreachable icmp code frag-needed drop\n}\n}\n',
    );
    const got = await network.device('download', CLOUD, '200000');
    t.deepEqual(got, { intact: true, bytes: 200_000 });
    await remove();
    await network.netns('endpoint', ['ip', 'link', 'set', 'eth0', 'mtu', '1500']);
    await network.netns('provider', ['ip', 'link', 'set', 'vps', 'mtu', '1500']);
  },
);

line.case(
  'packets that leave in pieces, and then are lost, are named with a size that fits',
  async (t) => {
    const { network } = line;
    await network.configure(["option packet_size '1400'"]);
    await network.reload();
    await network.netns('router', ['ip', 'link', 'set', 'wan', 'mtu', '1420']);
    const status = await line.home(({ config }) =>
      config.warning_notices.some(({ code }) => code === 'packets-in-pieces'),
    );
    t.regex(status.config.warnings.join('\n'), /uci set iotshaper\.main\.packet_size=13[46]8;/);
    await network.netns('router', ['ip', 'link', 'set', 'wan', 'mtu', '1500']);
    await line.plant(
      'provider',
      'inet hole',
      'table inet hole {\nchain f {\ntype filter hook prerouting priority 0;\nmeta length > 1420 counter drop\n}\n}\n',
    );
    const lost = await line.home(({ fault_code: code }) => code === 'size-lost');
    t.is(lost.fault_values?.size, 1400);
    t.true(Number(lost.fault_values?.fits) <= 1300);
    await network.netns('provider', ['nft', 'delete', 'table', 'inet', 'hole']);
    await network.await('shaping', 90_000);
  },
);
