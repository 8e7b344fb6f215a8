// Who has logged in to the page: for how long, and the word that each of their requests has to carry.

/** Without a request for so long, a login ends. */
const IDLE_MS = 30 * 60_000;
/** However busy, it ends after so long. */
const MOST_MS = 12 * 3_600_000;
/** The oldest one has to go where there would be more. */
const MOST_SESSIONS = 32;

export interface Session {
  /** In the cookie, which no script can read. */
  readonly id: string;
  /** In a header of every request that asks or changes something: another site's page knows none. */
  readonly token: string;
}

interface Kept extends Session {
  readonly sinceMs: number;
  usedMs: number;
}

export class Sessions {
  readonly #draw: () => string;
  readonly #byId = new Map<string, Kept>();

  /** @param draw a word that nobody can guess. */
  constructor(draw: () => string) {
    this.#draw = draw;
  }

  open(nowMs: number): Session {
    const session = { id: this.#draw(), token: this.#draw(), sinceMs: nowMs, usedMs: nowMs };
    this.#byId.set(session.id, session);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > MOST_SESSIONS && oldest !== undefined) this.#byId.delete(oldest);
    return session;
  }

  /** The session of a cookie, which lives on from now; null where there is none, or none any more. */
  find(id: string, nowMs: number): Session | null {
    const session = this.#byId.get(id);
    if (!session) return null;
    if (nowMs - session.usedMs > IDLE_MS || nowMs - session.sinceMs > MOST_MS) {
      this.#byId.delete(id);
      return null;
    }
    session.usedMs = nowMs;
    return session;
  }

  close(id: string): void {
    this.#byId.delete(id);
  }

  /** Ends all of them, as another password does. */
  clear(): void {
    this.#byId.clear();
  }
}
