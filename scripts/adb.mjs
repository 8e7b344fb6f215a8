// Writes the containers that apk-tools 3 keeps packages and indexes in, signed or not: https://gitlab.alpinelinux.org/alpine/apk-tools, doc/apk-v3.5.scd.
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { deflateRaw } from 'pako';

/** Kinds of a value, in the top four bits of its word (src/adb.h). */
const kinds = { int: 1, int32: 2, blob8: 8, blob16: 9, blob32: 10, object: 14 };

/** Kinds of a block, in the top two bits of its word. */
const blocks = { adb: 0, signature: 1, data: 2 };

/** Its digest takes the place of the key's name: both ends look keys up by it. */
const KEY_ID_BYTES = 16;
/** What apk calls SHA-512 (src/apk_crypto.h). */
const SHA512 = 4;
/** The values of one container: each stands where no other does, and the same bytes stand once. */
export class Values {
  #bytes = Buffer.alloc(8);
  /** @type {Map<string, number>} where bytes stand */
  #known = new Map();

  /** @param {number} value @returns {number} its word */
  int(value) {
    if (value < 2 ** 28) return word(kinds.int, value);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return word(kinds.int32, this.#place(bytes, 4));
  }

  /** @param {Buffer | string | undefined} value @param {boolean} [alone] whether these bytes may be changed afterwards @returns {number} */
  blob(value, alone = false) {
    const bytes = Buffer.from(value ?? '');
    if (bytes.length === 0) return 0;
    const [kind, size] =
      bytes.length > 0xffff ? ['blob32', 4] : bytes.length > 0xff ? ['blob16', 2] : ['blob8', 1];
    const length = Buffer.alloc(/** @type {number} */ (size));
    length.writeUIntLE(bytes.length, 0, length.length);
    const at = this.#place(Buffer.concat([length, bytes]), length.length, alone);
    return word(kinds[/** @type {keyof typeof kinds} */ (kind)], at);
  }

  /** @param {number[]} words from place 1 on; those at the end that are nothing are left out @returns {number} */
  object(words) {
    const count = words.findLastIndex((one) => one !== 0) + 1;
    if (count === 0) return 0;
    const bytes = Buffer.alloc(4 * (count + 1));
    [count + 1, ...words.slice(0, count)].forEach((one, index) => {
      bytes.writeUInt32LE(one, 4 * index);
    });
    return word(kinds.object, this.#place(bytes, 4));
  }

  /** @param {number} root @returns {Buffer} the header, which says where all begins, and every value */
  finish(root) {
    this.#bytes.writeUInt32LE(root, 4);
    return this.#bytes;
  }

  /** @param {Buffer} bytes @param {number} alignment @param {boolean} [alone] */
  #place(bytes, alignment, alone = false) {
    const key = bytes.toString('latin1');
    const known = alone ? undefined : this.#known.get(key);
    if (known !== undefined && known % alignment === 0) return known;
    const at = Math.ceil(this.#bytes.length / alignment) * alignment;
    this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(at - this.#bytes.length), bytes]);
    if (!alone) this.#known.set(key, at);
    return at;
  }
}

/**
 * A container's file: `adb` is what {@link Values.finish} made.
 *
 * @param {'pckg' | 'indx'} schema
 * @param {Buffer} adb
 * @param {{ keyText?: string, data?: Buffer[] }} [rest] the private key that signs it, PEM on the curve prime256v1; blocks of data
 * @returns {Buffer}
 */
export function packContainer(schema, adb, { keyText, data = [] } = {}) {
  const parts = [
    Buffer.from(`ADB.${schema}`),
    block(blocks.adb, adb),
    ...(keyText === undefined ? [] : [block(blocks.signature, signAdb(schema, adb, keyText))]),
    ...data.map((one) => block(blocks.data, one)),
  ];
  // Raw deflate, as apk-tools have it; in plain JavaScript for the same reason as gzip.
  const packed = deflateRaw(Buffer.concat(parts), { level: 9 });
  return Buffer.concat([Buffer.from('ADBd'), Buffer.from(packed)]);
}

/** @param {string} keyText a private key, PEM @returns {string} the public one, which belongs into /etc/apk/keys */
export function publicKeyOf(keyText) {
  return createPublicKey(readKey(keyText)).export({ format: 'pem', type: 'spki' }).toString();
}

/** @param {string} schema @param {Buffer} adb @param {string} keyText */
function signAdb(schema, adb, keyText) {
  const key = readKey(keyText);
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  const point = Buffer.concat([
    Buffer.of(4), // uncompressed
    Buffer.from(x, 'base64url'),
    Buffer.from(y, 'base64url'),
  ]);
  const id = createHash('sha512').update(point).digest().subarray(0, KEY_ID_BYTES);
  const head = Buffer.concat([Buffer.of(0, SHA512), id]);
  const digest = createHash('sha512').update(adb).digest();
  return Buffer.concat([
    head,
    sign('sha512', Buffer.concat([Buffer.from(schema), head, digest]), key),
  ]);
}

/** @param {string} keyText */
function readKey(keyText) {
  const key = (() => {
    try {
      return createPrivateKey(keyText);
    } catch {
      return null;
    }
  })();
  if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error(
      'the key must be a private key as "openssl ecparam -name prime256v1 -genkey -noout -out FILE" makes it',
    );
  }
  return key;
}

/** @param {number} kind @param {Buffer} payload */
function block(kind, payload) {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(kind * 2 ** 30 + head.length + payload.length);
  return Buffer.concat([head, payload, Buffer.alloc(-(head.length + payload.length) & 7)]);
}

/** @param {number} kind @param {number} value */
function word(kind, value) {
  return kind * 2 ** 28 + value;
}
