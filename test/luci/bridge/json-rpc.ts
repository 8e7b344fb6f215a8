// uhttpd's /ubus: JSON-RPC 2.0 with batches, its error codes and its order of checks.
import type { Acl, Role } from './acl.ts';
import type { Rpcd } from './rpcd.ts';

const anonymous = '0'.repeat(32);

interface Reply {
  jsonrpc: '2.0';
  id: unknown;
  result?: unknown;
  error?: { code: number; message: string };
}

const errorReply = (id: unknown, code: number, message: string): Reply => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
});

/** BigInts are what 64-bit counters of the bus become; JSON has numbers only. */
const toJson = (value: unknown) =>
  JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? Number(item) : item));

export class JsonRpc {
  readonly #rpcd: Rpcd;
  readonly #acl: Acl;
  readonly #sessions: ReadonlyMap<string, Role>;

  constructor(rpcd: Rpcd, acl: Acl, sessions: ReadonlyMap<string, Role>) {
    this.#rpcd = rpcd;
    this.#acl = acl;
    this.#sessions = sessions;
  }

  /** The body of the answer to a request's body. */
  async answer(body: string): Promise<string> {
    let request: unknown;
    try {
      request = JSON.parse(body);
    } catch {
      return toJson(errorReply(null, -32700, 'Parse error'));
    }
    if (!Array.isArray(request)) return toJson(await this.#answerOne(request));
    return toJson(await Promise.all(request.map((one) => this.#answerOne(one))));
  }

  async #answerOne(request: unknown): Promise<Reply> {
    const { id = null, method, params } = (request ?? {}) as Record<string, unknown>;
    if (method === 'list') return { jsonrpc: '2.0', id, result: await this.#rpcd.list() };
    if (method !== 'call') return errorReply(id, -32601, 'Method not found');
    if (!Array.isArray(params) || params.length < 3)
      return errorReply(id, -32602, 'Invalid parameters');
    const [session, object, name, args = {}] = params;
    if (!(await this.#rpcd.has(object))) return errorReply(id, -32000, 'Object not found');
    // An unknown session is nobody's: refused like one that lacks the right.
    const role = session === anonymous ? 'none' : this.#sessions.get(session);
    if (role === undefined || !this.#acl.allows(role, 'ubus', object, name))
      return errorReply(id, -32002, 'Access denied');
    const [code, data] = await this.#rpcd.call({ session, role }, object, name, args);
    return { jsonrpc: '2.0', id, result: data === undefined ? [code] : [code, data] };
  }
}
