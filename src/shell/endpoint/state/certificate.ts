// Certificates of the endpoint and of its homes, made by openssl.
import { CommandError } from '../../system/command.ts';
import type { System } from '../../system/system.ts';

const DAYS = 36_500;

/** A self-signed certificate on P-256; it is known by its fingerprint, so nobody has to sign it. */
export async function makeCertificate(
  { processes }: Pick<System, 'processes'>,
  name: string,
): Promise<{ certificate: string; key: string }> {
  const argv = [
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    `${DAYS}`,
    '-subj',
    `/CN=${name}`,
    '-keyout',
    '-',
    '-out',
    '-',
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
