// The proof on each control message: who made it holds the home's key, and made it for that home.

/** HMAC-SHA-256 (RFC 2104), handed in so that messages are made and read without the platform. */
export type Mac = (key: Uint8Array, data: Uint8Array) => Uint8Array;

export const CONTROL_KEY_BYTES = 32;
/** RFC 2104, section 5: no fewer than half of the hash's bytes. */
export const PROOF_BYTES = 16;

/** Makes and checks the proofs of one home's messages, at either end. */
export class Proof {
  readonly #mac: Mac;
  readonly #key: Uint8Array;
  readonly #context: Uint8Array;

  /**
   * @param home the home's tunnel address: what is said for one place is worth nothing in another.
   * @throws RangeError when the key is not of {@link CONTROL_KEY_BYTES}: with a short one anybody could speak.
   */
  constructor(mac: Mac, key: Uint8Array, home: string) {
    if (key.length !== CONTROL_KEY_BYTES) {
      throw new RangeError(
        'there is no sound control key; on the endpoint run remove-home and add-home for this home, then upload the new profile',
      );
    }
    this.#mac = mac;
    this.#key = key;
    this.#context = new TextEncoder().encode(`iotshaper control 1 ${home}\n`);
  }

  /** Writes the proof into the first bytes of a datagram, over all that is behind them. */
  seal(datagram: Uint8Array): void {
    datagram.set(this.#of(datagram));
  }

  /** Whether the datagram carries the proof that belongs to it. Takes equally long wherever it differs. */
  holds(datagram: Uint8Array): boolean {
    if (datagram.length < PROOF_BYTES) return false;
    const right = this.#of(datagram);
    let differing = 0;
    for (let at = 0; at < PROOF_BYTES; at++) differing |= right[at]! ^ datagram[at]!;
    return differing === 0;
  }

  #of(datagram: Uint8Array): Uint8Array {
    const data = new Uint8Array(this.#context.length + datagram.length - PROOF_BYTES);
    data.set(this.#context);
    data.set(datagram.subarray(PROOF_BYTES), this.#context.length);
    return this.#mac(this.#key, data).subarray(0, PROOF_BYTES);
  }
}
