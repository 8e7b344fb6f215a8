// A plain OpenVPN tunnel from router to endpoint that all devices use: the variants `vpn` and `paper` stand on it.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../shell/system/node/processes.ts';
import { type LabProcess, startProcess } from '../bed/processes.ts';
import { lab } from '../bed/topology.ts';
import { waitUntil } from '../bed/wait.ts';
import type { StartedVariant, VariantContext } from './variant.ts';

export const plainTunnel = {
  port: 1194,
  netdev: 'iotvpn0',
  homeAddress: '10.98.0.2',
  endpointAddress: '10.98.0.1',
} as const;

const startMs = 15_000;

/** Brings the tunnel up and sends the devices' traffic, DNS included, through it. */
export async function startPlainTunnel(context: VariantContext): Promise<StartedVariant> {
  const { topology, progress } = context;
  progress.step('starting a plain OpenVPN tunnel');
  const [home, endpoint] = await Promise.all([
    makeIdentity(context.workFolder, 'home'),
    makeIdentity(context.workFolder, 'endpoint'),
  ]);
  const { netdev, port, homeAddress, endpointAddress } = plainTunnel;
  const common = ['--dev', netdev, '--dev-type', 'tun', '--disable-dco', '--persist-tun'];
  const ciphers = ['--data-ciphers', 'AES-256-GCM:CHACHA20-POLY1305', '--ping', '5', '--verb', '3'];
  const server = await startOpenvpn(context, 'endpoint', [
    ...[...common, '--proto', 'udp4', '--lport', String(port), '--tls-server', '--dh', 'none'],
    ...['--ifconfig', endpointAddress, homeAddress, ...ciphers],
    ...['--cert', endpoint.certificate, '--key', endpoint.key],
    ...['--peer-fingerprint', home.fingerprint],
  ]);
  await untilSaid(context, server, 'link local (bound)');
  const client = await startOpenvpn(context, 'router', [
    ...[...common, '--proto', 'udp4', '--remote', lab.endpointAddress, String(port), '--nobind'],
    ...['--tls-client', '--ifconfig', homeAddress, endpointAddress, ...ciphers],
    ...['--cert', home.certificate, '--key', home.key],
    ...['--peer-fingerprint', endpoint.fingerprint],
  ]);
  const connected = 'Initialization Sequence Completed';
  await Promise.all([untilSaid(context, server, connected), untilSaid(context, client, connected)]);

  const { router, endpoint: vps } = topology.names;
  await run(['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1'], { netns: vps });
  await run(['nft', '-f', '-'], { netns: vps, input: endpointRules });
  await run(['nft', '-f', '-'], { netns: router, input: homeRules });
  const ip = ['ip', '-n', router];
  await run([...ip, 'route', 'add', 'default', 'dev', netdev, 'table', '200']);
  await run([...ip, 'rule', 'add', 'iif', lab.bridge, 'lookup', '200', 'priority', '200']);
  return {
    tunnelPort: port,
    home: [client],
    endpoint: [server],
    expectedPps: null,
    expectedKBps: null,
    readStatus: async () => null,
    readTxDropped: async () => null,
  };
}

const homeRules = `table inet iotlab_vpn {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    iifname "${lab.bridge}" udp dport 53 dnat ip to ${lab.dnsAddress}
    iifname "${lab.bridge}" tcp dport 53 dnat ip to ${lab.dnsAddress}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "${plainTunnel.netdev}" masquerade
  }
}
`;

const endpointRules = `table inet iotlab_vpn {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "eth0" ip saddr ${plainTunnel.homeAddress} masquerade
  }
}
`;

/** A key and a certificate signed by itself, known to the peer by its fingerprint. */
async function makeIdentity(folder: string, name: string) {
  const key = join(folder, `${name}.key`);
  const certificate = join(folder, `${name}.crt`);
  await run([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    ...['-nodes', '-days', '30', '-subj', `/CN=${name}`, '-keyout', key, '-out', certificate],
  ]);
  const fingerprint = new X509Certificate(await readFile(certificate)).fingerprint256;
  return { key, certificate, fingerprint };
}

async function startOpenvpn(
  { topology, logFolder, cleanup }: VariantContext,
  place: 'router' | 'endpoint',
  options: string[],
): Promise<LabProcess> {
  const child = await startProcess({
    argv: ['openvpn', ...options],
    netns: topology.names[place],
    core: 'shaping',
    logPath: join(logFolder, `openvpn-${place}.log`),
  });
  cleanup.add(() => child.stop());
  return child;
}

/** Waits for words in OpenVPN's log. */
function untilSaid({ signal }: VariantContext, child: LabProcess, words: string): Promise<void> {
  return waitUntil({
    what: `OpenVPN to say "${words}"`,
    timeoutMs: startMs,
    everyMs: 50,
    signal,
    process: child,
    check: async () => (await readFile(child.logPath, 'utf8')).includes(words),
  });
}
