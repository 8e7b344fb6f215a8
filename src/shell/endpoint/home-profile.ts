// The profile that a home uploads, as text; it holds the home's secrets.
import type { EndpointIdentity } from '../../core/endpoint/identity.ts';
import { renderInside } from '../../core/openvpn/inside.ts';
import { insideRanges } from '../../core/plan/nft/nft-endpoint.ts';

export interface HomeSecrets {
  /** PEM. */
  certificate: string;
  /** PEM, without a password. */
  key: string;
  /** 32 bytes in base64. */
  controlKey: string;
}

/** @param endpointFingerprint SHA-256 of the endpoint's certificate. */
export function renderProfile(
  identity: EndpointIdentity,
  name: string,
  endpointFingerprint: string,
  { certificate, key, controlKey }: HomeSecrets,
): string {
  return [
    `# iot-shaper profile of home ${name} at ${identity.host}. Keep it secret; upload it under Services, IoT Privacy, Tunnel.`,
    'client',
    'dev tun',
    'proto udp',
    ...(identity.remotes ?? [identity]).map(({ host, port }) => `remote ${host} ${port}`),
    'nobind',
    'data-ciphers AES-256-GCM:CHACHA20-POLY1305',
    'tls-version-min 1.2',
    ...renderInside(controlKey, insideRanges(identity)),
    '<peer-fingerprint>',
    endpointFingerprint,
    '</peer-fingerprint>',
    '<cert>',
    certificate.trim(),
    '</cert>',
    '<key>',
    key.trim(),
    '</key>',
    '',
  ].join('\n');
}
