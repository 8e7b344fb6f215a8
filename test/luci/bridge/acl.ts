// What a login may do, decided as rpcd decides it over the page's own acl.d file.
import { readFileSync } from 'node:fs';

const aclFile = 'luci-app/root/usr/share/rpcd/acl.d/luci-app-iotshaper.json';

interface Grants {
  ubus?: Record<string, string[]>;
  /** Commands with their words, and what may be done with them. */
  file?: Record<string, string[]>;
  uci?: string[];
}

type Groups = Record<string, { read?: Grants; write?: Grants }>;

/** `none` is a login without the page's group, `read` one that may only look. */
export type Role = 'none' | 'read' | 'write';

/** What rpcd grants every session, logged in or not (its `unauthenticated.json`, LuCI's base). */
const everyone: Grants = { ubus: { session: ['access'], luci: ['getFeatures'] } };

export class Acl {
  readonly #groups: Groups;

  constructor(text = readFileSync(aclFile, 'utf8')) {
    this.#groups = JSON.parse(text) as Groups;
  }

  get groups(): string[] {
    return Object.keys(this.#groups);
  }

  /** May a session of this role do this? `scope` is `ubus` or `uci`, as in `session access`. */
  allows(role: Role, scope: string, object: string, action: string): boolean {
    if (scope === 'access-group') return this.#mayAccess(role, object, action);
    const grants = [everyone];
    for (const { read, write } of Object.values(this.#groups)) {
      if (role !== 'none' && read) grants.push(read);
      if (role === 'write' && write) grants.push(write);
    }
    if (scope === 'ubus') return grants.some(({ ubus }) => ubus?.[object]?.includes(action));
    if (scope === 'file') return grants.some(({ file }) => file?.[object]?.includes(action));
    if (scope !== 'uci') return false;
    const kinds = Object.values(this.#groups).flatMap(({ read, write }) => [
      role !== 'none' && action === 'read' ? read : undefined,
      role === 'write' && action === 'write' ? write : undefined,
    ]);
    return kinds.some((kind) => kind?.uci?.includes(object));
  }

  #mayAccess(role: Role, group: string, action: string): boolean {
    return (
      this.groups.includes(group) && (role === 'write' || (role === 'read' && action === 'read'))
    );
  }
}
