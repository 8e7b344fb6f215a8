// The lab's wires: an Internet with a resolver and a page, a server and a router on it, and a device in the router's house.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

export const SERVER = '203.0.113.10';
const PAGE = '192.88.99.80';
const RESOLVER = '192.88.99.53';
const places = ['internet', 'server', 'router', 'device'] as const;
export type Place = (typeof places)[number];

/** Answers with the address that it was asked from. */
const PAGE_PROGRAM = `require('http').createServer((request, answer) => answer.end(request.socket.remoteAddress))
  .listen(80, '${PAGE}')`;

/** Asks the resolver in its first argument for the page's address, then the page; whatever is lost is asked again. */
const ASK_PROGRAM = `const { Resolver } = require('dns').promises;
  const resolver = new Resolver({ timeout: 3000, tries: 5 });
  resolver.setServers([process.argv[1]]);
  resolver.resolve4('www.example.org')
    .then(([address]) => fetch('http://' + address + '/', { signal: AbortSignal.timeout(20000) }))
    .then((answer) => answer.text())
    .then((text) => process.stdout.write(text));`;

/** Prints what a lease brought, and sets it. */
const LEASE_SCRIPT = `#!/bin/sh
[ "$1" = bound ] || exit 0
ip address replace "$ip/$mask" dev "$interface"
ip route replace default via $router
echo "$dns" >"$RESOLVERS"
`;

export class Network {
  readonly #prefix = `first${process.pid}`;
  readonly #folder: string;
  readonly #ends: (() => void)[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    const ip = (...words: string[]) => execFileSync('ip', words);
    for (const place of places) {
      ip('netns', 'add', this.name(place));
      this.#ends.push(() => ip('netns', 'delete', this.name(place)));
      this.do(place, 'ip', 'link', 'set', 'lo', 'up');
    }
    const wire = (one: Place, oneName: string, other: Place, otherName: string) => {
      const far = ['peer', 'name', otherName, 'netns', this.name(other)];
      ip('-n', this.name(one), 'link', 'add', oneName, 'type', 'veth', ...far);
    };
    wire('internet', 'server', 'server', 'eth0');
    wire('internet', 'router', 'router', 'wan');
    wire('device', 'wlan0', 'router', 'lan2');
    const address = (place: Place, netdev: string, ...addresses: string[]) => {
      this.do(place, 'ip', 'link', 'set', netdev, 'up');
      for (const one of addresses) this.do(place, 'ip', 'address', 'add', one, 'dev', netdev);
    };
    address('internet', 'lo', `${PAGE}/32`, `${RESOLVER}/32`);
    address('internet', 'server', '203.0.113.1/24');
    address('internet', 'router', '198.51.100.1/24');
    address('server', 'eth0', `${SERVER}/24`);
    address('device', 'wlan0');
    this.do('server', 'ip', 'route', 'add', 'default', 'via', '203.0.113.1');
    this.do('internet', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    this.#serve('dnsmasq', '--keep-in-foreground', '--no-resolv', '--no-hosts', '--bind-interfaces', `--listen-address=${RESOLVER}`,
      `--address=/vps.example.org/${SERVER}`, `--address=/www.example.org/${PAGE}`, `--address=/openwrt.org/${PAGE}`); // biome-ignore format: a command
    this.#serve(process.execPath, '-e', PAGE_PROGRAM);
  }

  name(place: Place): string {
    return `${this.#prefix}-${place}`;
  }

  get resolver(): string {
    return `nameserver ${RESOLVER}\n`;
  }

  do(place: Place, ...words: string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.name(place), ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** As a device that joins: a lease, a name, a page; returns the address from which the page was asked. */
  askAsDevice(): string {
    const script = `${this.#folder}/lease`;
    const resolvers = `${this.#folder}/resolvers`;
    writeFileSync(script, LEASE_SCRIPT, { mode: 0o755 });
    this.do(
      'device',
      'env',
      `RESOLVERS=${resolvers}`,
      'busybox',
      'udhcpc',
      '-n',
      '-q',
      '-i',
      'wlan0',
      '-s',
      script,
    );
    const [resolver] = readFileSync(resolvers, 'utf8').trim().split(/\s+/) as [string];
    return this.do('device', process.execPath, '-e', ASK_PROGRAM, resolver);
  }

  stop(): void {
    for (const end of this.#ends.reverse()) end();
  }

  #serve(...words: string[]): void {
    const child = spawn('ip', ['netns', 'exec', this.name('internet'), ...words], {
      stdio: 'ignore',
    });
    this.#ends.push(() => child.kill('SIGKILL'));
  }
}
