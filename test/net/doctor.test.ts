// A server on which each thing is planted that keeps it from serving homes: the doctor names it, and its command mends it.

import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { run } from '../../src/shell/system/node/processes.ts';
import { eventually, newNamespace, requireNamespaces } from './support.ts';

const program = resolve('dist/iotshaper.js');

interface Findings {
  ok: boolean;
  findings: { code: string; message: string; values: Record<string, unknown> }[];
}

/** Sets up the server's ways to the Internet. */
const WAY = 'ip route add default via 203.0.113.1; ip -6 route add default via 2001:db8:203::1';

/** A server with one way to the Internet, and an endpoint that was made there and does not run. */
class Server {
  readonly netns: string;
  readonly dir: string;
  readonly #t: ExecutionContext;

  private constructor(t: ExecutionContext, netns: string, dir: string) {
    this.#t = t;
    this.netns = netns;
    this.dir = dir;
  }

  static async make(t: ExecutionContext): Promise<Server> {
    const dir = await mkdtemp(join(tmpdir(), 'iotshaper-doctor-'));
    t.teardown(() => rm(dir, { recursive: true, force: true }));
    const [netns, outside] = [await newNamespace(t, 'vps'), await newNamespace(t, 'outside')];
    const [uplink, far] = ['uplink', 'far'];
    await run([
      'ip',
      'link',
      'add',
      uplink,
      'netns',
      netns,
      'type',
      'veth',
      'peer',
      'name',
      far,
      'netns',
      outside,
    ]);
    await run(['ip', '-n', outside, 'addr', 'add', '203.0.113.1/24', 'dev', far]);
    await run(['ip', '-n', outside, 'link', 'set', far, 'up']);
    await run(['ip', '-n', netns, 'addr', 'add', '203.0.113.10/24', 'dev', uplink]);
    await run(['ip', '-n', netns, 'link', 'set', uplink, 'up']);
    for (const [where, netdev, host] of [
      [outside, far, '1'],
      [netns, uplink, '10'],
    ] as const)
      await run(
        `ip -n ${where} -6 addr add 2001:db8:203::${host}/64 dev ${netdev} nodad`.split(' '),
      );
    await run(`ip -n ${netns} -6 route add default via 2001:db8:203::1`.split(' '));
    const server = new Server(t, netns, dir);
    await server.route('add');
    return server;
  }

  /** ufw and firewall-cmd, as far as they are asked here: each puts the rules where the real one would. */
  async addFrontEnds(): Promise<void> {
    const scripts = {
      ufw: `case "$*" in
"allow 1194/udp") nft add rule ip filter ufw-user-input udp dport 1194 accept ;;
"allow in on "*) nft add rule ip filter ufw-user-input iifname "$4" accept ;;
"route allow in on "*) nft add rule ip filter FORWARD iifname "$5" accept ;;
"route allow out on "*) nft add rule ip filter FORWARD oifname "$5" accept ;;
*) exit 1 ;; esac`,
      'firewall-cmd': `case "$*" in
"--permanent --add-port=1194/udp") nft add rule inet firewalld filter_IN_public udp dport 1194 accept ;;
"--permanent --zone=trusted --add-interface=iotvpn0 --add-interface=iot0")
nft add rule inet firewalld filter_IN_public iifname '{ "iotvpn0", "iot0" }' accept ;;
--reload) ;;
*) exit 1 ;; esac`,
    };
    for (const [name, body] of Object.entries(scripts)) {
      await writeFile(join(this.dir, name), `#!/bin/sh -e\n${body}\n`);
      await chmod(join(this.dir, name), 0o755);
    }
  }

  /** Runs a shell's line on the server. */
  async sh(line: string): Promise<string> {
    return (await run(['sh', '-c', line], { netns: this.netns })).stdout;
  }

  route(what: 'add' | 'delete'): Promise<string> {
    return this.sh(`ip route ${what} default via 203.0.113.1`);
  }

  /** Runs a command that a finding names, as typed there. */
  async paste(command: string): Promise<void> {
    const [name, ...words] = command.split(' ');
    if (name !== 'iotshaper') {
      await this.sh(`PATH=${this.dir}:$PATH; ${command}`);
      return;
    }
    const { status, error } = await this.iotshaper(words.slice(1));
    this.#t.is(status, 0, error);
  }

  /** Runs `iotshaper endpoint …` on the server, whatever its end. @param before words that run the program */
  iotshaper(
    words: readonly string[],
    before: readonly string[] = [],
  ): Promise<{ status: number; output: string; error: string }> {
    const place = ['--state-dir', join(this.dir, 'state')];
    const argv = [...before, process.execPath, program, 'endpoint', ...words, ...place];
    return new Promise((done) => {
      execFile(
        'ip',
        ['netns', 'exec', this.netns, ...argv],
        { timeout: 60_000 },
        (error, output, said) =>
          done({ status: error ? Number(error.code) : 0, output, error: said }),
      );
    });
  }

  /** Makes the endpoint, beside a network of the server's own. */
  async init(t: ExecutionContext): Promise<void> {
    await this.sh(
      'ip link add lan type veth peer name lan2; ip link set lan up; ip link set lan2 up',
    );
    const made = await this.iotshaper(['init', '--host', '203.0.113.10']);
    t.is(made.status, 0, made.error);
    t.notRegex(made.error, /warning/);
  }

  async doctor(): Promise<Findings> {
    const { output } = await this.iotshaper([
      'doctor',
      '--json',
      '--run-dir',
      join(this.dir, 'run'),
    ]);
    return JSON.parse(output) as Findings;
  }

  /** Holds a UDP port until called back. */
  async hold(port: number): Promise<() => Promise<void>> {
    const argv = ['netns', 'exec', this.netns, 'socat', '-u', `UDP4-RECV:${port}`, '/dev/null'];
    const child = spawn('ip', argv, { stdio: 'ignore' });
    this.#t.teardown(() => child.kill());
    const isHeld = async () => (await this.sh(`ss -Hlun 'sport = :${port}'`)) !== '';
    await eventually(`port ${port} held`, isHeld);
    return async () => {
      child.kill();
      await eventually(`port ${port} free`, async () => !(await isHeld()));
    };
  }
}

const codesOf = ({ findings }: Findings): string[] => findings.map(({ code }) => code);

const fixture = (name: string) => readFileSync(resolve('test/fixtures', name), 'utf8');
const chain = (name: string, hook: string, policy: string, rules: string) =>
  `chain ${name} {\ntype filter hook ${hook} priority filter; policy ${policy};\n${rules}\n}\n`;
const icmp = 'meta l4proto ipv6-icmp accept';

type Firewall = [what: string, rules: string, codes: string[], program: RegExp];

const firewalls: Firewall[] = [
  [
    'Docker',
    fixture('real-homes/fw-docker-like.nft'),
    ['homes-dropped-by'],
    /^nft insert rule ip filter FORWARD iifname "iot0" accept;/,
  ],
  [
    'no port',
    fixture('real-homes/fw-ufw-closed.nft'),
    ['endpoint-port-closed', 'homes-dropped-by'],
    /^nft insert rule ip filter INPUT udp /,
  ],
  [
    'the port alone',
    fixture('firewall/ufw-like.nft'),
    ['homes-dropped-by', 'homes-names-dropped-by'],
    /^nft insert rule ip filter FORWARD/,
  ],
];

const others: Firewall[] = [
  [
    'no port by IPv6',
    `table ip6 filter {\n${chain('INPUT', 'input', 'drop', icmp)}}\n`,
    ['endpoint-port-closed'],
    /^nft insert rule ip6 filter INPUT udp dport 1194 accept;/,
  ],
  [
    'ufw',
    `table ip filter {\nchain ufw-user-input {\n}\n${chain('INPUT', 'input', 'drop', 'jump ufw-user-input')}${chain('FORWARD', 'forward', 'drop', '')}}\n`,
    ['endpoint-port-closed', 'homes-dropped-by'],
    /^ufw allow 1194\/udp; ufw allow in on iot/,
  ],
  [
    'firewalld',
    `table inet firewalld {\nchain filter_IN_public {\n}\n${chain('filter_INPUT', 'input', 'accept', `${icmp}\njump filter_IN_public\nreject`)}}\n`,
    ['endpoint-port-closed', 'endpoint-port-closed'],
    /^firewall-cmd --permanent --add-port/,
  ],
  [
    'a rule of iptables',
    `table ip filter {\n${chain('INPUT', 'input', 'accept', 'reject')}}\n`,
    ['endpoint-port-closed'],
    /^nft insert rule ip filter INPUT udp dport 1194 accept; nft insert/,
  ],
];

for (const some of [firewalls, others]) {
  const names = some.map(([what]) => what).join(', ');
  test(`each firewall is named, its command mends it, and nothing is left behind: ${names}`, async (t) => {
    if (!requireNamespaces(t)) return;
    const server = await Server.make(t);
    await server.init(t);
    await server.addFrontEnds();
    const links = () => server.sh('ip -br link; ip -br addr; nft list ruleset; ip rule; ip route');
    const before = await links();
    const healthy = await server.iotshaper(['doctor', '--run-dir', join(server.dir, 'run')]);
    t.is(healthy.status, 0, healthy.output);
    t.regex(healthy.output, /Nothing found/);
    t.is(await links(), before);
    for (const [what, rules, codes, program] of some) {
      await writeFile(join(server.dir, 'rules.nft'), rules);
      await server.sh(`nft -f ${join(server.dir, 'rules.nft')}`);
      const found = await server.doctor();
      t.deepEqual(codesOf(found), codes, what);
      t.regex(`${found.findings[0]!.values.command}`, program, what);
      for (const { values } of found.findings) await server.paste(`${values.command}`);
      t.deepEqual(await server.doctor(), { ok: true, findings: [] }, what);
      await server.sh('nft flush ruleset');
    }
  });
}

test('rules, ports that are taken, a range and a way that is gone: each is named, its command mends it', async (t) => {
  if (!requireNamespaces(t)) return;
  const server = await Server.make(t);
  await server.init(t);
  // What sets up this server's network, as far as it is asked here.
  await writeFile(join(server.dir, 'systemctl'), `#!/bin/sh -e\n[ "$1" = restart ]\n${WAY}\n`);
  await chmod(join(server.dir, 'systemctl'), 0o755);
  /** Finds just these, says so, and leaves nothing of them once the command of each was run. */
  const mends = async (...expected: readonly (readonly [code: string, says: RegExp])[]) => {
    const found = await server.doctor();
    t.deepEqual(
      codesOf(found),
      expected.map(([code]) => code),
    );
    for (const [k, { message, values }] of found.findings.entries()) {
      t.regex(message, expected[k]![1]);
      const command = /run "(iotshaper [^"]+)"/.exec(message)?.[1] ?? `${values.command}`;
      await server.paste(command);
    }
    const codes = expected.map(([code]) => code).join(', ');
    await eventually(`${codes} mended`, async () => (await server.doctor()).ok);
  };
  await server.sh(
    "nft 'table inet mine { chain early { type filter hook prerouting priority raw; iifname iot0 udp dport 9 drop; }; chain deny { reject; }; chain f { type filter hook forward priority 0; iifname iot0 jump deny; }; chain i { type filter hook input priority 0; iifname iot0 udp dport 53 drop; }; }'",
  );
  await server.sh('ip addr add 10.214.7.1/24 dev lan');
  await server.hold(1194);
  await server.hold(53);
  await mends(
    ['endpoint-range-taken', /10\.214\.7\.0\/24 on lan lies in 10\.214\.0\.0\/16/],
    ['endpoint-port-taken', /UDP port 1194 is taken by socat; run "kill \d+"/],
    ['resolver-port-taken', /socat has port 53 on 10\.214\.0\.1, .* run "kill \d+"/],
    ['homes-dropped', /firewall rule drops it .*run "nft insert rule inet mine early/],
    ['homes-names-dropped', /drops the names that homes ask for; run "nft insert/],
  );
  const moved = JSON.parse(await readFile(join(server.dir, 'state', 'endpoint.json'), 'utf8'));
  t.like(moved, { tunnelNet: '10.215.0', innerNet: '10.216' });
  // One that is made now takes those at once.
  const other = join(server.dir, 'other');
  await server.sh(
    `${process.execPath} ${program} endpoint init --host a.example --state-dir ${other}`,
  );
  const identity = JSON.parse(await readFile(join(other, 'endpoint.json'), 'utf8'));
  t.like(identity, { tunnelNet: '10.215.0', innerNet: '10.216' });

  await server.route('delete');
  await server.sh('ip -6 route delete default');
  await mends(['endpoint-no-internet', /no way to the Internet; run "systemctl restart \S+"/]);
});

test('a kernel that lacks what no endpoint can do without ends it at once, with the reason', async (t) => {
  if (!requireNamespaces(t)) return;
  const server = await Server.make(t);
  t.is((await server.iotshaper(['init', '--host', '203.0.113.10'])).status, 0);
  /** Words that run what follows where this was mounted first. */
  const mounted = (mount: string): string[] => [
    ...['unshare', '-m', 'sh', '-c', `${mount} && exec "$@"`, 'sh'],
  ];
  /** One program of the machine refuses. */
  const refusing = async (name: string, body: string): Promise<string[]> => {
    const stub = join(server.dir, name);
    await writeFile(stub, `#!/bin/sh\n${body}\n`);
    await chmod(stub, 0o755);
    // npm puts programs of packages first, and one of them is an nft of its own.
    const found = `PATH=/usr/sbin:/usr/bin:/sbin:/bin; readlink -f "$(command -v ${name})"`;
    return mounted(`mount --bind ${stub} "$(${found})"`);
  };
  const kinds: readonly (readonly [readonly string[], RegExp])[] = [
    [mounted('mount -t tmpfs none /dev/net'), /can't make tun network devices .*KVM/],
    [
      await refusing('tc', 'echo "Error: Specified qdisc kind is unknown." >&2; exit 2'),
      /lacks the HTB queue .*qdisc kind is unknown/,
    ],
    [
      await refusing('nft', 'echo "Operation not supported" >&2; exit 1'),
      /nftables does not work .*not supported/,
    ],
  ];
  for (const [before, words] of kinds) {
    const { status, error } = await server.iotshaper(
      ['run', '--run-dir', join(server.dir, 'run')],
      before,
    );
    t.is(status, 78, error);
    t.regex(error, words);
  }
});
