// SHA-256 (FIPS 180-4) and HMAC (RFC 2104), which the control channel proves its messages with.

const BLOCK_BYTES = 64;
const WORDS = 64;

/** First 32 bits of the broken part of a root of the first primes. */
function rootsOfPrimes(count: number, power: number): Uint32Array {
  const primes: number[] = [];
  for (let number = 2; primes.length < count; number++) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  }
  return Uint32Array.from(primes, (prime) => (prime ** power % 1) * 2 ** 32);
}

const ROUNDS = rootsOfPrimes(WORDS, 1 / 3);
const FIRST = rootsOfPrimes(8, 1 / 2);

function turned(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function padded(data: Uint8Array): DataView {
  const length = Math.ceil((data.length + 9) / BLOCK_BYTES) * BLOCK_BYTES;
  const bytes = new Uint8Array(length);
  bytes.set(data);
  bytes[data.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setBigUint64(length - 8, BigInt(data.length) * 8n);
  return view;
}

export function sha256(data: Uint8Array): Uint8Array {
  const message = padded(data);
  const hash = FIRST.slice();
  const w = new Uint32Array(WORDS);
  for (let block = 0; block < message.byteLength; block += BLOCK_BYTES) {
    for (let i = 0; i < 16; i++) w[i] = message.getUint32(block + i * 4);
    for (let i = 16; i < WORDS; i++) {
      const [a, b] = [w[i - 15]!, w[i - 2]!];
      const first = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3);
      const second = turned(b, 17) ^ turned(b, 19) ^ (b >>> 10);
      w[i] = w[i - 16]! + first + w[i - 7]! + second;
    }
    mix(hash, w);
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (const [i, word] of hash.entries()) digest.setUint32(i * 4, word);
  return new Uint8Array(digest.buffer);
}

function mix(hash: Uint32Array, w: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = hash as unknown as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  for (let i = 0; i < WORDS; i++) {
    const choice = (e & f) ^ (~e & g);
    const one =
      (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + choice + ROUNDS[i]! + w[i]!) | 0;
    const two =
      ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    hash[i] = hash[i]! + word;
  });
}

export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? sha256(key) : key);
  const within = (pad: number, rest: Uint8Array): Uint8Array => {
    const whole = new Uint8Array(BLOCK_BYTES + rest.length);
    whole.set(block.map((byte) => byte ^ pad));
    whole.set(rest, BLOCK_BYTES);
    return sha256(whole);
  };
  return within(0x5c, within(0x36, data));
}

/** As Node.js's module of this name has it, for the one algorithm. */
export function createHmac(_algorithm: 'sha256', key: Uint8Array) {
  return {
    update: (data: Uint8Array) => ({ digest: () => hmacSha256(key, data) }),
  };
}
