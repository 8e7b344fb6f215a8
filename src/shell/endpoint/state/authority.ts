// What signs the homes' certificates: kept beside the endpoint's own, and made when the first home is added.
import { join } from 'node:path';
import type { KeyPair } from '../../../core/endpoint/identity.ts';
import type { System } from '../../system/system.ts';
import { makeAuthority, makeHomeCertificate } from './certificate.ts';

export function authorityPathOf(stateDir: string): string {
  return join(stateDir, 'homes-ca.crt');
}

function keyPathOf(stateDir: string): string {
  return join(stateDir, 'homes-ca.key');
}

/** Null where no home's certificate was signed yet. */
export async function readAuthority(
  { files }: Pick<System, 'files'>,
  stateDir: string,
): Promise<KeyPair | null> {
  if (!files.exists(authorityPathOf(stateDir))) return null;
  const certificate = await files.readText(authorityPathOf(stateDir));
  return { certificate, key: await files.readText(keyPathOf(stateDir)) };
}

/** The certificate comes last: with it, there is one. */
export async function writeAuthority(
  { files }: Pick<System, 'files'>,
  stateDir: string,
  { certificate, key }: KeyPair,
): Promise<void> {
  await files.replace(keyPathOf(stateDir), key);
  await files.replace(authorityPathOf(stateDir), certificate);
}

/** A certificate that the endpoint's authority has signed; makes that where there is none. */
export async function signHome(
  system: Pick<System, 'files' | 'processes'>,
  stateDir: string,
  commonName: string,
): Promise<KeyPair> {
  const certificatePath = authorityPathOf(stateDir);
  if (!system.files.exists(certificatePath)) {
    await writeAuthority(system, stateDir, await makeAuthority(system, 'iotshaper homes'));
  }
  return makeHomeCertificate(system, commonName, { certificatePath, keyPath: keyPathOf(stateDir) });
}
