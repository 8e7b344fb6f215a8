// A fleet as its tables have it, and as an endpoint's files have it.
import { type LimitBook, readLimitBook } from '../../core/endpoint/admission/limits.ts';
import type { EndpointIdentity, KeyPair, StoredHome } from '../../core/endpoint/identity.ts';
import { type EndpointCopy, isIdentity, readHomes } from '../../core/endpoint/keeping.ts';
import { isSame } from '../../core/equality/equality.ts';
import type { FleetEndpoint } from '../endpoint/registry.ts';
import type { Ask } from './database.ts';
import { GONE_AFTER_S } from './presence.ts';

/** A machine of the fleet, and where homes reach it. */
export interface Member extends FleetEndpoint {
  host: string;
  port: number;
}

/** All there is of a fleet. */
export interface Fleet extends KeyPair {
  nets: Pick<EndpointIdentity, 'tunnelNet' | 'innerNet' | 'innerNet6'>;
  authority: KeyPair | null;
  members: readonly Member[];
  homes: readonly StoredHome[];
  limits: LimitBook;
}

interface FleetRow {
  tunnel_net: string;
  inner_net: string;
  inner_net6: string;
  certificate: string;
  key: string;
  authority_certificate: string | null;
  authority_key: string | null;
  limits: unknown;
}

interface HomeRow {
  name: string;
  host: number;
  common_name: string;
  fingerprint: string;
  control_key: string;
}

/** Null where no endpoint was made yet. @throws {Error} where somebody has written there what is no fleet. */
export async function readFleet(ask: Ask): Promise<Fleet | null> {
  const [row] = await ask<FleetRow>('SELECT * FROM fleet');
  if (!row) return null;
  const members = await readMembers(ask);
  const rows = await ask<HomeRow>('SELECT * FROM homes ORDER BY host');
  const homes = readHomes(
    rows.map(({ name, host, common_name, fingerprint, control_key }) => ({
      ...{ name, host, commonName: common_name, fingerprint, controlKey: control_key },
    })),
  );
  const nets = { tunnelNet: row.tunnel_net, innerNet: row.inner_net, innerNet6: row.inner_net6 };
  const limits = readLimitBook(row.limits);
  if (!homes || !limits || !isIdentity({ ...nets, host: '', port: 1 })) {
    throw new Error('the registry is damaged; restore it from a backup');
  }
  const { authority_certificate: certificate, authority_key: key } = row;
  return {
    nets,
    ...{ certificate: row.certificate, key: row.key },
    authority: certificate !== null && key !== null ? { certificate, key } : null,
    ...{ members, homes, limits },
  };
}

export function readMembers(ask: Ask): Promise<Member[]> {
  return ask<Member>(
    `SELECT name, host, port, drained, cores, slots, kbps AS "kBps", coalesce(seen_at > now() - make_interval(secs => $1), false) AS heard
     FROM endpoints ORDER BY joined_at, name`,
    [GONE_AFTER_S],
  );
}

/** The same as one endpoint of it has it; null where that is none of it. */
export function copyFor(fleet: Fleet, endpoint: string): EndpointCopy | null {
  const member = fleet.members.find(({ name }) => name === endpoint);
  if (!member) return null;
  const { nets, certificate, key, authority, homes } = fleet;
  const identity = { host: member.host, port: member.port, ...nets };
  return { identity, certificate, key, authority, homes };
}

/** More than these a home would not take. */
const MOST_REMOTES = 16;

/**
 * Ways to all endpoints, as one home is to try them: each home begins with another, so that each endpoint has its share; with
 * one that is drained last.
 */
export function remotesFor(
  members: readonly Pick<Member, 'host' | 'port' | 'drained'>[],
  home: string,
): Pick<Member, 'host' | 'port'>[] {
  const serving = members.filter(({ drained }) => !drained);
  const sum = [...home].reduce((total, letter) => total + letter.codePointAt(0)!, 0);
  const first = serving.length === 0 ? 0 : sum % serving.length;
  return [
    ...serving.slice(first),
    ...serving.slice(0, first),
    ...members.filter(({ drained }) => drained),
  ]
    .slice(0, MOST_REMOTES)
    .map(({ host, port }) => ({ host, port }));
}

/** Writes what has become another one. @param before what the tables have, read in the same transaction; null for nothing */
export async function writeChanges(
  ask: Ask,
  endpoint: string,
  before: EndpointCopy | null,
  after: EndpointCopy,
): Promise<void> {
  await writeCommon(ask, before, after);
  const { host, port } = after.identity;
  if (before?.identity.host !== host || before.identity.port !== port) {
    await ask(
      `INSERT INTO endpoints (name, host, port) VALUES ($1, $2, $3)
       ON CONFLICT (name) DO UPDATE SET host = excluded.host, port = excluded.port`,
      [endpoint, host, port],
    );
  }
  for (const { name } of before?.homes ?? []) {
    if (after.homes.some((home) => home.name === name)) continue;
    await ask('DELETE FROM homes WHERE name = $1', [name]);
  }
  for (const home of after.homes) {
    if (before?.homes.some((other) => isSame(other, home))) continue;
    await writeHome(ask, home);
  }
}

async function writeCommon(
  ask: Ask,
  before: EndpointCopy | null,
  { identity, certificate, key, authority }: EndpointCopy,
): Promise<void> {
  const { tunnelNet, innerNet, innerNet6 } = identity;
  const common = [tunnelNet, innerNet, innerNet6, certificate, key];
  const values = [...common, authority?.certificate ?? null, authority?.key ?? null];
  const had = before && [
    ...[before.identity.tunnelNet, before.identity.innerNet, before.identity.innerNet6],
    ...[before.certificate, before.key],
    ...[before.authority?.certificate ?? null, before.authority?.key ?? null],
  ];
  if (isSame(had, values)) return;
  await ask(
    `INSERT INTO fleet (tunnel_net, inner_net, inner_net6, certificate, key, authority_certificate, authority_key)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (one) DO UPDATE SET tunnel_net = excluded.tunnel_net, inner_net = excluded.inner_net,
       inner_net6 = excluded.inner_net6, certificate = excluded.certificate, key = excluded.key,
       authority_certificate = excluded.authority_certificate, authority_key = excluded.authority_key`,
    values,
  );
}

async function writeHome(ask: Ask, home: StoredHome): Promise<void> {
  const { name, host, commonName, fingerprint, controlKey } = home;
  await ask(
    `INSERT INTO homes (name, host, common_name, fingerprint, control_key)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (name) DO UPDATE SET host = excluded.host, common_name = excluded.common_name,
       fingerprint = excluded.fingerprint, control_key = excluded.control_key`,
    [name, host, commonName, fingerprint, controlKey],
  );
}
