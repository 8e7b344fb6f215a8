// How often an address may try a password: a few times at once, then now and then.

/** Tries that are free at first. */
const FREE = 5;
/** After so long one more is free. */
const EACH_MS = 30_000;
/** Addresses that are remembered; an address that is forgotten begins anew. */
const MOST_ADDRESSES = 1024;

export class Tries {
  /** When the tries of an address so far would all be free again. */
  readonly #freeAtMs = new Map<string, number>();

  /** Seconds until the address may try again; 0 for now. */
  waitS(address: string, nowMs: number): number {
    const freeAtMs = this.#freeAtMs.get(address) ?? nowMs;
    return Math.max(0, Math.ceil((freeAtMs - nowMs - (FREE - 1) * EACH_MS) / 1000));
  }

  /** A try begins: it counts until it is known to be right, so that many at once are no way around. */
  count(address: string, nowMs: number): void {
    const freeAtMs = Math.max(nowMs, this.#freeAtMs.get(address) ?? nowMs) + EACH_MS;
    this.#freeAtMs.delete(address);
    this.#freeAtMs.set(address, freeAtMs);
    const [first] = this.#freeAtMs.keys();
    if (this.#freeAtMs.size > MOST_ADDRESSES && first !== undefined) this.#freeAtMs.delete(first);
  }

  /** It was the right one. */
  forgive(address: string): void {
    this.#freeAtMs.delete(address);
  }
}
