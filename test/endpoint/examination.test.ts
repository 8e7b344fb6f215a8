// What an endpoint's machine was seen to do, and what follows: every fault with what to do, and none of a machine that can serve.
import test from 'ava';
import { parseChainNames, parseForeignChains } from '../../src/core/delivery/foreign-chains.ts';
import { type Examination, findEndpointFaults } from '../../src/core/endpoint/examination.ts';
import { wordsOf } from '../../src/core/notices/words.ts';

const NOBODY = { isTaken: false, programs: [] };
const TAKEN = { isTaken: true, programs: [] };
const takenBy = (name: string, unit: string | null) => ({
  ...{ isTaken: true, programs: [{ name, pid: 77, unit }] },
});

const well: Examination = {
  kernel: { tun: null, htb: null, nft: null },
  port: 1194,
  portHolders: NOBODY,
  resolverHolders: NOBODY,
  reached: { ipv4: true, ipv6: true },
  forwarded: { ipv4: true, ipv6: true },
  asked: { ipv4: true, ipv6: true },
  hasInternet: true,
  networkService: 'networking',
  chains: [],
  suspects: [],
  prefixes: [{ prefix: '203.0.113.0/24', netdev: 'eth0' }],
  inside: { tunnel: '10.213.0.0/24', inner4: '10.214.0.0/16', inner6: 'fd12:34::/48' },
  resolver: '10.214.0.1',
};

/** As nft lists the chains of a firewall that drops by default. */
function firewall(family: string, table: string, input: string, forward: string) {
  const chain = (name: string, hook: string) =>
    `\tchain ${name} {\n\t\ttype filter hook ${hook} priority filter; policy drop;\n\t}\n`;
  const listing = `table ${family} ${table} {\n${chain(input, 'input')}${chain(forward, 'forward')}\tchain ufw-user-input {\n\t}\n\tchain ufw6-user-input {\n\t}\n}\n`;
  return { chains: parseChainNames(listing), suspects: parseForeignChains(listing) };
}

const ufw = firewall('ip', 'filter', 'INPUT', 'FORWARD');
const ufw6 = firewall('ip6', 'filter', 'INPUT', 'FORWARD');
const own = firewall('inet', 'mine', 'in', 'through');

/** One that drops some packets by rules: before routing, in a chain that another leads to, and as they leave. */
const byRules = `table inet guard {
	chain raw {
		type filter hook prerouting priority raw; policy accept;
		fib saddr . iif oif missing drop
	}

	chain through {
		type filter hook forward priority filter; policy accept;
		iifname "drop" accept comment "reject"
		ip saddr vmap { 192.0.2.1 : accept, 10.0.0.0/8 : goto strict }
	}

	chain strict {
		reject with icmp port-unreachable
	}

	chain harmless {
		type filter hook forward priority filter + 1; policy accept;
		counter packets 0 bytes 0 jump counted
	}

	chain counted {
		counter packets 0 bytes 0
	}

	chain left {
		type filter hook postrouting priority filter; policy accept;
		ip daddr 203.0.113.0/24 drop
	}
}
`;

const rows: [what: string, change: Partial<Examination>, code: string, says: RegExp][] = [
  [
    'no tun',
    { kernel: { ...well.kernel, tun: 'No such file' } },
    ...([
      'kernel-without-tun',
      /\(No such file\); run "modprobe tun" or, where that fails, rent one/,
    ] as const),
  ],
  [
    'no HTB',
    { kernel: { ...well.kernel, htb: 'unknown' } },
    ...(['kernel-without-htb', /run "modprobe sch_htb"/] as const),
  ],
  [
    'no nft',
    { kernel: { ...well.kernel, nft: 'not supported' } },
    ...(['kernel-without-nft', /run "apt install nftables"/] as const),
  ],
  [
    'no Internet',
    { hasInternet: false },
    ...(['endpoint-no-internet', /run "systemctl restart networking", and see/] as const),
  ],
  [
    'a network inside ours',
    { prefixes: [{ prefix: '10.214.7.0/24', netdev: 'lan' }] },
    ...([
      'endpoint-range-taken',
      /give lan another network, or run "iotshaper endpoint set-ranges" and/,
    ] as const),
  ],
  [
    'the port taken by nobody knows whom',
    { portHolders: TAKEN },
    'endpoint-port-taken',
    /UDP port 1194 is taken by another program \(run "ss -lunp sport = :1194" to see which\); run "iotshaper endpoint set-port"/,
  ],
  [
    'the port taken by a service',
    { portHolders: takenBy('openvpn', 'openvpn@s.service') },
    ...([
      'endpoint-port-taken',
      /by openvpn; run "systemctl disable --now openvpn@s\.service"/,
    ] as const),
  ],
  [
    'the resolver’s port taken by a program',
    { resolverHolders: takenBy('unbound', null) },
    ...(['resolver-port-taken', /unbound has port 53 on 10\.214\.0\.1, .* run "kill 77"/] as const),
  ],
  [
    'the resolver’s port taken by the server’s own dnsmasq',
    { resolverHolders: takenBy('dnsmasq', 'dnsmasq.service') },
    ...([
      'resolver-port-taken',
      /run "printf 'bind-dynamic\\nexcept-interface=iot0\\n' >\/etc\/dnsmasq\.d\/iotshaper\.conf && systemctl restart dnsmasq"/,
    ] as const),
  ],
  [
    'the resolver’s port taken by nobody knows whom',
    { resolverHolders: TAKEN },
    ...([
      'resolver-port-taken',
      /\(run "ss -lunp sport = :53" to see which\) has port 53/,
    ] as const),
  ],
  [
    'ufw without the port',
    { ...ufw, reached: { ipv4: false, ipv6: null } },
    ...([
      'endpoint-port-closed',
      /over IPv4, .*run "ufw allow 1194\/udp; ufw allow in on iotvpn0; ufw allow in on iot0"$/,
    ] as const),
  ],
  [
    'ufw without the port, by IPv6',
    { ...ufw6, reached: { ipv4: true, ipv6: false } },
    ...([
      'endpoint-port-closed',
      /over IPv6, .*run "ufw allow 1194\/udp; ufw allow in on iotvpn0; ufw allow in on iot0"$/,
    ] as const),
  ],
  [
    'firewalld without the port',
    { chains: ['filter_IN_public'], reached: { ipv4: false, ipv6: null } },
    ...([
      'endpoint-port-closed',
      /run "firewall-cmd --permanent --add-port=1194\/udp && /,
    ] as const),
  ],
  [
    'a table of one’s own without the port',
    { ...own, reached: { ipv4: true, ipv6: false } },
    ...([
      'endpoint-port-closed',
      /run "nft insert rule inet mine in udp dport 1194 accept; nft insert rule inet mine in iifname "iotvpn0" accept; /,
    ] as const),
  ],
  [
    'a rule somewhere against the port',
    { reached: { ipv4: true, ipv6: false } },
    ...([
      'endpoint-port-closed',
      /run "ip6tables -I INPUT -p udp --dport 1194 -j ACCEPT; ip6tables -I INPUT -i iotvpn0 /,
    ] as const),
  ],
  [
    'a chain that forwards nothing',
    { ...ufw6, forwarded: { ipv4: true, ipv6: false } },
    ...([
      'homes-dropped-by',
      /run "ufw route allow in on iot0; ufw route allow out on iot0", and/,
    ] as const),
  ],
  [
    'ufw with the port, and nothing inside the tunnel',
    { ...ufw, asked: { ipv4: false, ipv6: null } },
    ...([
      'homes-names-dropped-by',
      /run "ufw allow in on iotvpn0; ufw allow in on iot0", and/,
    ] as const),
  ],
  [
    'a rule somewhere against names',
    { asked: { ipv4: true, ipv6: false } },
    ...([
      'homes-names-dropped',
      /a firewall rule drops the names .* run "ip6tables -I INPUT -i iotvpn0 -j ACCEPT; ip6tables -I INPUT -i iot0 /,
    ] as const),
  ],
  [
    'a rule somewhere that forwards nothing',
    { forwarded: { ipv4: false, ipv6: true } },
    ...([
      'homes-dropped',
      /for the first, run "iptables -I FORWARD -i iot0 -j ACCEPT; iptables -I FORWARD -o iot0 -j ACCEPT"$/,
    ] as const),
  ],
];

test('every chain that may drop by a rule is opened by one command', (t) => {
  const suspects = parseForeignChains(byRules);
  t.deepEqual(
    suspects.map(({ name, hook, byDefault }) => [name, hook, byDefault]),
    [
      ['raw', 'prerouting', false],
      ['through', 'forward', false],
      ['left', 'postrouting', false],
    ],
  );
  const [fault] = findEndpointFaults({
    ...{ ...well, suspects },
    forwarded: { ipv4: false, ipv6: true },
  });
  t.is(
    fault!.values.command,
    [
      'nft insert rule inet guard raw iifname "iot0" accept',
      'nft insert rule inet guard through iifname "iot0" accept',
      'nft insert rule inet guard through oifname "iot0" accept',
      'nft insert rule inet guard left oifname "iot0" accept',
    ].join('; '),
  );
});

for (const [what, change, code, says] of rows) {
  test(`${what}: ${code}`, (t) => {
    const [fault, ...more] = findEndpointFaults({ ...well, ...change });
    t.is(fault?.code, code as never);
    t.regex(wordsOf(fault!), says);
    t.deepEqual(more, []);
  });
}

test('a machine that can serve has no fault, nor has what could not be tried', (t) => {
  t.deepEqual(findEndpointFaults(well), []);
  const untried = { ipv4: null, ipv6: null };
  t.deepEqual(
    findEndpointFaults({ ...well, reached: untried, forwarded: untried, asked: untried }),
    [],
  );
});

test('what no endpoint can do without is told alone; the rest together, the gravest first', (t) => {
  const codes = (change: Partial<Examination>) =>
    findEndpointFaults({ ...well, ...change }).map(({ code }) => code);
  const all = {
    ...{ hasInternet: false, portHolders: TAKEN, resolverHolders: TAKEN },
    reached: { ipv4: false, ipv6: false },
    forwarded: { ipv4: false, ipv6: null },
    asked: { ipv4: false, ipv6: false },
  };
  t.deepEqual(codes(all), [
    ...['endpoint-no-internet', 'endpoint-port-taken', 'resolver-port-taken'],
    ...['endpoint-port-closed', 'endpoint-port-closed', 'homes-dropped'],
  ]);
  t.deepEqual(codes({ ...all, kernel: { tun: 'a', htb: 'b', nft: 'c' } }), [
    ...['kernel-without-tun', 'kernel-without-htb', 'kernel-without-nft'],
  ]);
});
