// Every spelling of a profile that is taken connects, with the real OpenVPN on both ends; what is smuggled in runs nowhere.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { checkProfile, type Profile } from '../../src/core/openvpn/profile.ts';
import {
  renderClientConfig,
  renderEndpointOpenVpn,
  renderHomeOpenVpn,
} from '../../src/core/plan/openvpn.ts';
import { EndpointStore } from '../../src/shell/endpoint/store.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { type Material, running, smuggled } from '../openvpn/spellings.ts';
import { newNamespace, requireNamespaces } from './support.ts';

const host4 = '192.0.2.1';
const host6 = '2001:db8::1';

/** Without what waits for a management client. */
function alone(config: string): string {
  return config.replace(/^management.*\n/gm, '');
}

/** An endpoint whose certificate an authority vouches for, and its home's profile. */
async function makeMaterial(store: EndpointStore, dir: string): Promise<Material> {
  await store.init(host4, 1194);
  const openssl = (...words: string[]): void => {
    execFileSync('openssl', words, { cwd: dir, stdio: 'pipe' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const days = ['-days', '3650'];
  openssl('req', '-x509', ...newKey, ...days, '-subj', '/CN=CA', '-keyout', 'ca.key', '-out', 'ca');
  openssl('req', ...newKey, '-subj', '/CN=iotshaper endpoint', '-keyout', 'key', '-out', 'request');
  // Both are what `remote-cert-tls server` asks for.
  const usage = 'keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n';
  writeFileSync(join(dir, 'usage'), usage);
  const signer = ['-CA', 'ca', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'usage'];
  openssl('x509', '-req', '-in', 'request', ...signer, ...days, '-out', store.certificatePath);
  writeFileSync(store.keyPath, readFileSync(join(dir, 'key')));
  return {
    text: await store.addHome('cottage'),
    otherKey: readFileSync(join(dir, 'key'), 'utf8'),
    authority: readFileSync(join(dir, 'ca'), 'utf8'),
    host4,
    host6,
  };
}

/** The server's and the home's namespace, joined by a link with both families. */
async function makeLink(t: ExecutionContext): Promise<{ server: string; home: string }> {
  const server = await newNamespace(t, 'profile');
  const home = await newNamespace(t, 'profile');
  const peer = ['peer', 'name', 'wire', 'netns', server];
  await run(['ip', '-n', home, 'link', 'add', 'wire', 'type', 'veth', ...peer]);
  for (const [netns, last] of [
    [server, 1],
    [home, 2],
  ] as const) {
    await run(['ip', '-n', netns, 'link', 'set', 'wire', 'up']);
    await run(['ip', '-n', netns, 'address', 'add', `192.0.2.${last}/24`, 'dev', 'wire']);
    const address = `2001:db8::${last}/64`;
    await run(['ip', '-n', netns, 'address', 'add', address, 'dev', 'wire', 'nodad']);
  }
  return { server, home };
}

/** OpenVPN in a namespace, and whether its initialization came to its end. */
function startOpenVpn(
  netns: string,
  config: string,
  before: readonly string[] = [],
): { child: ChildProcess; up: Promise<string> } {
  const argv = ['netns', 'exec', netns, ...before, 'openvpn', '--config', config];
  const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const up = new Promise<string>((done, fail) => {
    const limit = setTimeout(() => fail(new Error(`not up in time:\n${said}`)), 60_000);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (!said.includes('Initialization Sequence Completed')) return;
      clearTimeout(limit);
      done(said);
    });
    child.once('exit', (status) => {
      clearTimeout(limit);
      fail(new Error(`OpenVPN ended with ${status}:\n${said}`));
    });
  });
  return { child, up };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill('SIGKILL'); // a last word to the endpoint would take a second
  await gone;
}

/** Identities of the same home that people make themselves, in place of the one that was printed. */
function makeIdentities(dir: string): { name: string; certificate: string; key: string }[] {
  const make = (name: string, newKey: string[], sign: string[], traditional = false) => {
    const at = (file: string) => join(dir, `${name}.${file}`);
    const openssl = (...words: string[]) =>
      execFileSync('openssl', words, { cwd: dir, stdio: 'pipe' });
    openssl(
      'req',
      '-new',
      '-nodes',
      '-subj',
      '/CN=cottage',
      '-out',
      at('req'),
      ...newKey,
      '-keyout',
      at('key'),
    );
    openssl(
      ...sign,
      '-in',
      at('req'),
      '-out',
      at('crt'),
      sign[0] === 'ca' ? '-keyfile' : '-signkey',
      at('key'),
    );
    if (traditional) openssl('rsa', '-traditional', '-in', at('key'), '-out', at('key'));
    const read = (file: string) => readFileSync(at(file), 'utf8');
    return { name, certificate: read('crt'), key: read('key') };
  };
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const now = ['x509', '-req', '-days', '30'];
  writeFileSync(
    join(dir, 'ca.conf'),
    '[ca]\ndefault_ca=a\n[a]\ndatabase=index\nunique_subject=no\nrand_serial=1\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n',
  );
  writeFileSync(join(dir, 'index'), '');
  // By an authority's command, which takes any dates.
  const between = (start: string, end: string) => [
    ...['ca', '-batch', '-selfsign', '-notext', '-config', 'ca.conf'],
    ...['-startdate', `${start}0101000000Z`, '-enddate', `${end}0101000000Z`],
  ];
  return [
    make('RSA, as PKCS 1', ['-newkey', 'rsa:2048'], now, true),
    make('Ed25519', ['-newkey', 'ed25519'], now),
    make('expired', ec, between('2020', '2021')),
    // As it looks to a router whose clock is not set.
    make('not valid yet', ec, between('2090', '2091')),
  ];
}

test('every spelling that is taken connects', async (t) => {
  if (!requireNamespaces(t)) return;
  const dir = mkdtempSync(join(tmpdir(), 'iotshaper-profile-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const store = new EndpointStore(nodeSystem, join(dir, 'endpoint'));
  const material = await makeMaterial(store, dir);
  const identities = makeIdentities(dir);
  const { server, home } = await makeLink(t);
  const { tunnelNet } = await store.identity();
  const clientConfigs = join(dir, 'homes');
  mkdirSync(clientConfigs);
  const homes = await store.homes();
  for (const name of ['cottage', homes[0]!.commonName]) {
    writeFileSync(join(clientConfigs, name), renderClientConfig(tunnelNet, 2));
  }
  const serverConfig = renderEndpointOpenVpn({
    port: 1194,
    isDualStack: true,
    certificatePath: store.certificatePath,
    keyPath: store.keyPath,
    // People's own certificates are signed by nobody.
    trust: {
      fingerprints: [
        ...homes.map(({ fingerprint }) => fingerprint),
        ...identities.map(({ certificate }) => new X509Certificate(certificate).fingerprint256),
      ],
    },
    clientConfigDir: clientConfigs,
    tunnelNet,
    managementSocket: 'unused',
    queuePackets: 100,
    plainUser: null,
  });
  writeFileSync(join(dir, 'server.conf'), alone(serverConfig));
  const endpoint = startOpenVpn(server, join(dir, 'server.conf'));
  t.teardown(() => end(endpoint.child));
  await endpoint.up;

  // Spellings that come to one configuration are tried once.
  const configs = new Map<string, string[]>();
  const texts = [
    ...running.map(({ name, spell }) => ({ name, text: spell(material) })),
    ...identities.map(({ name, certificate, key }) => ({
      name,
      text: material.text
        .replace(/<cert>[\s\S]*<\/cert>/, `<cert>\n${certificate.trim()}\n</cert>`)
        .replace(/<key>[\s\S]*<\/key>/, `<key>\n${key.trim()}\n</key>`),
    })),
  ];
  for (const { name, text } of texts) {
    const verdict = checkProfile(text, pemReader);
    if (!verdict.ok) return t.fail(`${name}: ${JSON.stringify(verdict.problems)}`);
    const { profile } = verdict;
    const config = renderHomeOpenVpn({
      profile,
      managementSocket: 'unused',
      queuePackets: 100,
      plainUser: null,
    });
    configs.set(config, [...(configs.get(config) ?? []), name]);
  }
  t.true(configs.size > 9 && configs.size < 20, `${configs.size} configurations`);
  for (const [config, names] of configs) {
    const startMs = performance.now();
    writeFileSync(join(dir, 'home.conf'), alone(config), { mode: 0o600 });
    const client = startOpenVpn(home, join(dir, 'home.conf'));
    try {
      const said = await client.up;
      t.regex(said, new RegExp(`${tunnelNet}\\.2`), names.join(', '));
    } catch (error) {
      t.fail(`${names.join(', ')}: ${(error as Error).message}`);
    } finally {
      await end(client.child);
    }
    t.log(`${names.join(', ')}: ${Math.round(performance.now() - startMs)} ms`);
  }
});

/** A home, and an endpoint that runs and that it reaches by a name, or by either family. */
async function makeBoth(
  t: ExecutionContext,
  dir: string,
): Promise<{ server: string; home: string; profile: Profile }> {
  const store = new EndpointStore(nodeSystem, join(dir, 'endpoint'));
  await store.init('vps.test', 1194);
  const verdict = checkProfile(await store.addHome('cottage'), pemReader);
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems));
  const { server, home } = await makeLink(t);
  const clientConfigs = join(dir, 'homes');
  mkdirSync(clientConfigs);
  const { tunnelNet } = await store.identity();
  const [{ commonName } = { commonName: '' }] = await store.homes();
  writeFileSync(join(clientConfigs, commonName), renderClientConfig(tunnelNet, 2));
  const config = renderEndpointOpenVpn({
    ...{ port: 1194, isDualStack: true, clientConfigDir: clientConfigs, tunnelNet },
    ...{ certificatePath: store.certificatePath, keyPath: store.keyPath },
    trust: { authorityPath: store.authorityPath },
    ...{ managementSocket: 'unused', queuePackets: 100, plainUser: null },
  });
  writeFileSync(join(dir, 'server.conf'), alone(config));
  const endpoint = startOpenVpn(server, join(dir, 'server.conf'));
  t.teardown(() => end(endpoint.child));
  await endpoint.up;
  return { server, home, profile: verdict.profile };
}

test('an endpoint of both families is reached by a name from homes that have one, or both', async (t) => {
  if (!requireNamespaces(t)) return;
  const dir = mkdtempSync(join(tmpdir(), 'iotshaper-profile-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { server, home, profile } = await makeBoth(t, dir);

  const rendered = renderHomeOpenVpn({
    ...{ profile, managementSocket: 'unused', queuePackets: 100 },
    plainUser: null,
  });
  t.regex(rendered, /^remote vps\.test 1194 udp\nserver-poll-timeout 6$/m);
  writeFileSync(join(dir, 'home.conf'), alone(rendered), { mode: 0o600 });
  writeFileSync(join(dir, 'hosts'), `${host6} vps.test\n${host4} vps.test\n`);
  const named = ['unshare', '-m', 'sh', '-c', `mount --bind ${dir}/hosts /etc/hosts && exec "$@"`];
  const onHome = (words: string) => run(`ip -n ${home} ${words}`.split(' '));
  const cases: [what: string, before: () => Promise<unknown>, by: RegExp][] = [
    ['both', async () => {}, /link remote: \[AF_INET6?\]/],
    [
      'IPv6 that leads nowhere',
      () =>
        run(['nft', '-f', '-'], {
          netns: server,
          input:
            'table ip6 cut {\nchain in {\ntype filter hook input priority 0;\nudp dport 1194 drop\n}\n}\n',
        }),
      /link remote: \[AF_INET\]192\.0\.2\.1:1194/,
    ],
    [
      'IPv6 alone',
      async () => {
        await run(['nft', 'delete', 'table', 'ip6', 'cut'], { netns: server });
        await onHome('address del 192.0.2.2/24 dev wire');
      },
      /link remote: \[AF_INET6\]2001:db8::1:1194/,
    ],
    [
      'IPv4 alone',
      async () => {
        await onHome('address add 192.0.2.2/24 dev wire');
        await onHome('-6 address flush dev wire');
      },
      /link remote: \[AF_INET\]192\.0\.2\.1:1194/,
    ],
  ];
  for (const [what, before, by] of cases) {
    await before();
    const startMs = performance.now();
    const client = startOpenVpn(home, join(dir, 'home.conf'), [...named, 'sh']);
    try {
      t.regex(await client.up, by, what);
    } finally {
      await end(client.child);
    }
    t.log(`${what}: ${Math.round(performance.now() - startMs)} ms`);
  }
});

test('of two endpoints one is left that does not finish what it began', async (t) => {
  if (!requireNamespaces(t)) return;
  const dir = mkdtempSync(join(tmpdir(), 'iotshaper-profile-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { server, home, profile } = await makeBoth(t, dir);
  // Both ways lead to the same one, which the home can't know.
  const remotes = [host6, host4].map((host) => ({ host, port: 1194, proto: 'udp' as const }));
  const config = renderHomeOpenVpn({
    ...{ profile: { ...profile, remotes }, managementSocket: 'unused' },
    ...{ queuePackets: 100, plainUser: null },
  });
  writeFileSync(join(dir, 'home.conf'), alone(config), { mode: 0o600 });
  // What goes on with a handshake, by the first byte of a datagram, does not arrive: the first one answers, and is gone.
  const goneOn =
    'table ip6 cut {\nchain in {\ntype filter hook input priority 0;\nudp dport 1194 @th,64,5 4 drop\n}\n}\n';
  await run(['nft', '-f', '-'], { netns: server, input: goneOn });
  const client = startOpenVpn(home, join(dir, 'home.conf'));
  t.teardown(() => end(client.child));
  const said = await client.up;
  t.regex(said, /TLS: Initial packet from \[AF_INET6\]2001:db8::1:1194/);
  t.regex(said, /Peer Connection Initiated with \[AF_INET\]192\.0\.2\.1:1194/);
});

test('what OpenVPN would run from a profile as uploaded never reaches it', async (t) => {
  if (!requireNamespaces(t)) return;
  const dir = mkdtempSync(join(tmpdir(), 'iotshaper-profile-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const store = new EndpointStore(nodeSystem, join(dir, 'endpoint'));
  await store.init(host4, 1194);
  const proof = join(dir, 'smuggled.log');
  const printed = await store.addHome('cottage');
  const text = printed.replace('</cert>\n', smuggled('\u00a0', `log ${proof}`));
  const netns = await newNamespace(t, 'profile');
  writeFileSync(join(dir, 'uploaded.conf'), text.replace(/<iotshaper>[\s\S]*<\/iotshaper>\n/, ''));
  const raw = startOpenVpn(netns, join(dir, 'uploaded.conf'));
  t.teardown(() => end(raw.child));
  await t.throwsAsync(raw.up);
  t.true(existsSync(proof), 'the attack works on OpenVPN itself');
  t.false(checkProfile(text, pemReader).ok);
});
