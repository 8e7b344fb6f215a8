// The objects a page reaches over /ubus: those of rpcd played here, all others on a real bus.
import type { UbusClient } from '../../../src/shell/ubus/client.ts';
import { UbusError } from '../../../src/shell/ubus/status.ts';
import type { Acl, Role } from './acl.ts';
import { status, UciFault, type UciSessions, type Values } from './uci-sessions.ts';

/** What the router knows of itself and its hosts, as luci-rpc, netifd and procd would say. */
export interface RouterFacts {
  hints: object;
  leases: object;
  interfaces: object[];
  /** What `rc list` says of iotshaper; null when it is not installed. */
  service: { enabled: boolean; running: boolean } | null;
  /** Told of the words of a command that a page runs. */
  onExec?: (words: string) => void;
}

export interface Caller {
  session: string;
  role: Role;
}

type Answer = [code: number, data?: object];
// biome-ignore lint/suspicious/noExplicitAny: arguments come from outside and are what they are.
type Arguments = Record<string, any>;

export class Rpcd {
  readonly #acl: Acl;
  readonly #uci: UciSessions;
  readonly #bus: UbusClient;
  facts: RouterFacts;

  constructor(parts: { acl: Acl; uci: UciSessions; bus: UbusClient; facts: RouterFacts }) {
    this.#acl = parts.acl;
    this.#uci = parts.uci;
    this.#bus = parts.bus;
    this.facts = parts.facts;
  }

  readonly #own: Record<string, Record<string, (caller: Caller, args: Arguments) => Answer>> = {
    session: {
      access: ({ role }, { scope, object, function: action }) => [
        status.ok,
        // LuCI asks this to learn whether a session lives on; every one does here.
        {
          access:
            (scope === 'uci' && object === 'luci') || this.#acl.allows(role, scope, object, action),
        },
      ],
    },
    luci: { getFeatures: () => [status.ok, {}] },
    'luci-rpc': {
      getHostHints: () => [status.ok, this.facts.hints],
      getDHCPLeases: () => [status.ok, this.facts.leases],
    },
    'network.interface': { dump: () => [status.ok, { interface: this.facts.interfaces }] },
    file: {
      exec: ({ role }, { command, params = [] }) => {
        const words = [command, ...params].join(' ');
        // rpcd's file.c: each command with its words is granted by itself.
        if (!this.#acl.allows(role, 'file', words, 'exec')) return [status.denied];
        this.facts.onExec?.(words);
        return [status.ok, { code: 0 }];
      },
    },
    rc: {
      list: (_caller, { name }) => [
        status.ok,
        name === 'iotshaper' && this.facts.service ? { iotshaper: this.facts.service } : {},
      ],
    },
    uci: {
      get: (caller, { config }) => {
        // LuCI's own settings, which every login may read and LuCI itself asks for.
        if (config === 'luci') return [status.ok, { values: {} }];
        if (!this.#mayUci(caller, config, 'read')) return [status.denied];
        return [status.ok, this.#uci.get(caller.session, config)];
      },
      changes: ({ session }) => [status.ok, { changes: this.#uci.changes(session) }],
      add: (caller, { config, type, name = null, values = {} }) => {
        if (!this.#mayUci(caller, config, 'write')) return [status.denied];
        return [status.ok, this.#uci.add(caller.session, config, type, name, values as Values)];
      },
      set: (caller, { config, section, values }) => {
        if (!this.#mayUci(caller, config, 'write')) return [status.denied];
        this.#uci.set(caller.session, config, section, values as Values);
        return [status.ok];
      },
      delete: (caller, { config, section, options = null }) => {
        if (!this.#mayUci(caller, config, 'write')) return [status.denied];
        this.#uci.delete(caller.session, config, section, options);
        return [status.ok];
      },
    },
  };

  #mayUci({ role }: Caller, config: unknown, action: 'read' | 'write'): boolean {
    if (typeof config !== 'string') throw new UciFault(status.invalidArgument);
    return this.#acl.allows(role, 'uci', config, action);
  }

  async has(object: string): Promise<boolean> {
    if (object in this.#own) return true;
    try {
      return (await this.#bus.lookup(object)).length > 0;
    } catch {
      return false;
    }
  }

  async list(): Promise<string[]> {
    const onBus = await this.#bus.lookup().catch(() => []);
    return [...Object.keys(this.#own), ...onBus.map(({ path }) => path)].sort();
  }

  async call(caller: Caller, object: string, method: string, args: Arguments): Promise<Answer> {
    try {
      const own = this.#own[object];
      if (own) return own[method]?.(caller, args) ?? [3];
      return [status.ok, await this.#bus.call(object, method, args)];
    } catch (error) {
      if (error instanceof UciFault) return [error.code];
      if (error instanceof UbusError) return [error.code];
      throw error;
    }
  }
}
