// OpenVPN's configuration files for both roles, as text; secrets in them, so they are written 0600.
import type { Profile } from '../openvpn/profile.ts';
import type { PlainUser } from './facts.ts';
import { TUNNEL_MTU, TUNNEL_NETDEV } from './names.ts';

/** Lines both ends share: one datagram a packet, nothing that reads or changes sizes, steered by us alone. */
function commonLines(
  managementSocket: string,
  queuePackets: number,
  plainUser: PlainUser | null,
): string[] {
  return [...netdevLines(queuePackets), ...processLines(managementSocket, plainUser)];
}

/** The netdev's own MTU is lowered to packet_size afterwards, so that it can follow a change without a reconnect. */
const LASTING = [`tun-mtu ${TUNNEL_MTU}`, 'mssfix 0', 'persist-key', 'persist-tun'];

function netdevLines(queuePackets: number): string[] {
  return [
    `dev ${TUNNEL_NETDEV}`,
    'dev-type tun',
    'topology subnet',
    ...LASTING,
    // Data-channel offload would take packets past the queue discipline's clock.
    'disable-dco',
    `txqueuelen ${queuePackets}`,
    // Never fires while cover flows; finds a dead path while starting.
    'ping 20',
    // What is due leaves on time on a busy router too.
    'nice -10',
  ];
}

function processLines(managementSocket: string, plainUser: PlainUser | null): string[] {
  return [
    // Once the netdev is made: what reads the Internet's packets is root no longer.
    ...(plainUser ? [`user ${plainUser.user}`, `group ${plainUser.group}`] : []),
    'verb 3',
    'mute 10',
    'script-security 1',
    `management ${managementSocket} unix`,
    // OpenVPN ends when we do: a killed service leaves no tunnel behind.
    'management-client',
    // Nothing is connected before we listen for what happens.
    'management-hold',
  ];
}

export interface HomeOpenVpn {
  profile: Profile;
  managementSocket: string;
  queuePackets: number;
  /** Whom OpenVPN becomes once its netdev is made; null: it stays root. */
  plainUser: PlainUser | null;
}

/**
 * Seconds that a remote has to answer before the next is tried, or the same anew: OpenVPN asks at once, after 1 s and after 3 s,
 * and then ever more seldom, so that a line that is back would go unnoticed.
 */
const ANSWER_SECONDS = 6;
/**
 * The same where there is another one to go to, since devices are cut off meanwhile: all are asked in turn. One that has answered, but does
 * not finish what it began, is given up after {@link ANSWER_SECONDS}: OpenVPN by itself stays with it for a minute.
 */
const NEXT_SECONDS = 2;
/** What is lost of a handshake is sent again after a second, not two: so the first datagram is before the next endpoint is asked. */
const AGAIN = 'tls-timeout 1';

function renderBlock(tag: string, text: string): string[] {
  return [`<${tag}>`, text.trim(), `</${tag}>`];
}

/** What the profile says, word by word from the value, nothing of the uploaded text being copied; then what holds for whoever connects. */
function clientLines(profile: Profile): string[] {
  const { remotes, identity, trust, dataCiphers, tlsVersionMin } = profile;
  return [
    '# Written by iotshaper from the uploaded profile; changes here are lost.',
    'client',
    ...remotes.map(({ host, port, proto }) => `remote ${host} ${port} ${proto}`),
    ...(remotes.length > 1
      ? [`server-poll-timeout ${NEXT_SECONDS}`, `hand-window ${ANSWER_SECONDS}`]
      : [`server-poll-timeout ${ANSWER_SECONDS}`]),
    AGAIN,
    `data-ciphers ${dataCiphers.join(':')}`,
    `tls-version-min ${tlsVersionMin}`,
    ...(trust.fingerprints.length > 0
      ? renderBlock('peer-fingerprint', trust.fingerprints.join('\n'))
      : []),
    ...(trust.ca.length > 0
      ? // Else every home the authority knows could be the endpoint of the others.
        [...renderBlock('ca', trust.ca.join('')), 'remote-cert-tls server']
      : []),
    ...(trust.name === null ? [] : [`verify-x509-name "${trust.name}" name`]),
    ...renderBlock('cert', identity.certificate),
    ...renderBlock('key', identity.key),
    'nobind',
    // The endpoint assigns the tunnel address; routes and DNS are ours to set.
    'route-nopull',
    'connect-retry 1 30',
  ];
}

/** The home's configuration: what the profile says, then ours, which wins. */
export function renderHomeOpenVpn({
  profile,
  managementSocket,
  queuePackets,
  plainUser,
}: HomeOpenVpn): string {
  return [
    ...clientLines(profile),
    'ping-restart 60',
    'explicit-exit-notify 1',
    ...commonLines(managementSocket, queuePackets, plainUser),
    '',
  ].join('\n');
}

/**
 * The configuration with which a new profile is tried beside the one in use: it connects and does nothing else, without a
 * netdev, an address or a route.
 */
export function renderTrialOpenVpn({
  profile,
  managementSocket,
  plainUser,
}: Omit<HomeOpenVpn, 'queuePackets'>): string {
  return [
    ...clientLines(profile),
    'dev null',
    'ifconfig-noexec',
    // There is no netdev to set it on.
    'pull-filter ignore "tun-mtu"',
    ...LASTING,
    ...processLines(managementSocket, plainUser),
    '',
  ].join('\n');
}

/**
 * SHA-256 fingerprints of the homes' certificates, colon-separated hex, which OpenVPN reads when it starts; or the file of what has
 * signed them all: then whoever has a file of his own in `clientConfigDir` is a home, from one moment to the next.
 */
export type HomesTrust = { fingerprints: readonly string[] } | { authorityPath: string };

export interface EndpointOpenVpn {
  port: number;
  /** Whether the kernel has IPv6: homes then reach the endpoint by either family, else by IPv4 alone. */
  isDualStack: boolean;
  certificatePath: string;
  keyPath: string;
  /** By what homes are known. */
  trust: HomesTrust;
  /** To be read by `plainUser`. */
  clientConfigDir: string;
  /** First three bytes of the tunnel addresses, e.g. `10.213.0`. */
  tunnelNet: string;
  managementSocket: string;
  queuePackets: number;
  /** Whom OpenVPN becomes once its netdev is made; null: it stays root. */
  plainUser: PlainUser | null;
}

/** The endpoint's configuration. */
export function renderEndpointOpenVpn(options: EndpointOpenVpn): string {
  return [
    '# Written by iotshaper; changes here are lost.',
    'mode server',
    'tls-server',
    // A server's plain "udp" listens on IPv4 alone.
    `proto ${options.isDualStack ? 'udp6' : 'udp'}`,
    `port ${options.port}`,
    'dh none',
    'data-ciphers AES-256-GCM:CHACHA20-POLY1305',
    'tls-version-min 1.2',
    AGAIN,
    `cert ${options.certificatePath}`,
    `key ${options.keyPath}`,
    ...trustLines(options.trust),
    `client-config-dir ${options.clientConfigDir}`,
    'ccd-exclusive',
    `ifconfig ${options.tunnelNet}.1 255.255.255.0`,
    'push "topology subnet"',
    'ping-restart 120',
    // Homes hear of a restart, and connect anew at once.
    'explicit-exit-notify 1',
    ...commonLines(options.managementSocket, options.queuePackets, options.plainUser),
    '',
  ].join('\n');
}

function trustLines(trust: HomesTrust): string[] {
  if ('authorityPath' in trust) return [`ca ${trust.authorityPath}`, 'remote-cert-tls client'];
  return ['<peer-fingerprint>', ...trust.fingerprints, '</peer-fingerprint>'];
}

/** What the endpoint tells OpenVPN of one home: its tunnel address. */
export function renderClientConfig(tunnelNet: string, host: number): string {
  return `ifconfig-push ${tunnelNet}.${host} 255.255.255.0\n`;
}
