// Certificates of the endpoint and of its homes, made by openssl.
import type { KeyPair } from '../../../core/endpoint/identity.ts';
import { CommandError } from '../../system/command.ts';
import type { System } from '../../system/system.ts';

const DAYS = 36_500;

type Processes = Pick<System, 'processes'>;

/** A self-signed certificate on P-256; it is known by its fingerprint, so nobody has to sign it. */
export function makeCertificate(system: Processes, name: string): Promise<KeyPair> {
  return make(system, name, []);
}

/** A certificate that signs those of homes, and nothing else. */
export function makeAuthority(system: Processes, name: string): Promise<KeyPair> {
  return make(system, name, [
    ...PLAIN,
    ...['-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0'],
    ...['-addext', 'keyUsage=critical,keyCertSign'],
  ]);
}

/** A home's certificate, which its endpoint's authority signs; it signs nothing and serves nobody. */
export function makeHomeCertificate(
  system: Processes,
  commonName: string,
  authority: { certificatePath: string; keyPath: string },
): Promise<KeyPair> {
  return make(system, commonName, [
    ...PLAIN,
    ...['-CA', authority.certificatePath, '-CAkey', authority.keyPath],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-addext', 'keyUsage=critical,digitalSignature'],
    ...['-addext', 'extendedKeyUsage=clientAuth'],
  ]);
}

/** Nothing of what a machine's own configuration adds to certificates. */
const PLAIN = ['-config', '/dev/null'];

async function make(
  { processes }: Processes,
  name: string,
  more: readonly string[],
): Promise<KeyPair> {
  const argv = [
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ...['-nodes', '-days', `${DAYS}`, '-subj', `/CN=${name}`, ...more],
    ...['-keyout', '-', '-out', '-'],
  ];
  let text: string;
  try {
    text = (await processes.run(argv)).stdout;
  } catch (error) {
    if (error instanceof CommandError && error.status === null) {
      throw new Error('openssl is not installed; run "apt install openssl"');
    }
    throw error;
  }
  const find = (label: string): string =>
    new RegExp(`-----BEGIN ${label}-----[\\s\\S]*?-----END ${label}-----`).exec(text)?.[0] ?? '';
  return { certificate: `${find('CERTIFICATE')}\n`, key: `${find('PRIVATE KEY')}\n` };
}
