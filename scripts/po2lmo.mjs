// Compiles a translation to what LuCI loads: node scripts/po2lmo.mjs de/iotshaper.po iotshaper.de.lmo
//
// The same bytes as po2lmo of luci-base (src/po2lmo.c, src/lib/lmo.c), which is built only inside
// OpenWrt: texts, an index of (hash of the original, plural forms, offset, length) sorted by hash,
// and where the index begins; all numbers big-endian.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Paul Hsieh's SuperFastHash, started with the length.
 *
 * @param {Uint8Array} bytes
 * @returns {number} 32 bits, unsigned; 0 for nothing
 */
export function hashOf(bytes) {
  if (bytes.length === 0) return 0;
  /** @param {number} at */
  const pair = (at) => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  /** @param {number} at a byte as C's signed char */
  const signed = (at) => ((bytes[at] ?? 0) << 24) >> 24;
  const rest = bytes.length & 3;
  let hash = bytes.length | 0;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = (hash + pair(at)) | 0;
    hash = (hash << 16) ^ ((pair(at + 2) << 11) ^ hash);
    hash = (hash + (hash >>> 11)) | 0;
  }
  if (rest === 3) {
    hash = (hash + pair(at)) | 0;
    hash ^= hash << 16;
    hash ^= signed(at + 2) << 18;
    hash = (hash + (hash >>> 11)) | 0;
  } else if (rest === 2) {
    hash = (hash + pair(at)) | 0;
    hash ^= hash << 11;
    hash = (hash + (hash >>> 17)) | 0;
  } else if (rest === 1) {
    hash = (hash + signed(at)) | 0;
    hash ^= hash << 10;
    hash = (hash + (hash >>> 1)) | 0;
  }
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  hash = (hash + (hash >>> 6)) | 0;
  return hash >>> 0;
}

/** @typedef {{ context: string, id: string, plural: string, texts: string[] }} Message */

/**
 * The messages of a .po file, the header as the one without an id. Quotes and backslashes lose
 * their escape, `\n` keeps it, as in LuCI's own.
 *
 * @param {string} text
 * @returns {Message[]}
 */
export function parsePo(text) {
  /** @type {Message[]} */
  const messages = [];
  /** @type {(piece: string) => void} */
  let append = () => {};
  let context = '';
  for (const line of text.split('\n')) {
    const [, keyword, index, quoted] =
      /^(?:(msgctxt|msgid|msgid_plural|msgstr)(?:\[(\d+)\])? )?"(.*)"\s*$/.exec(line) ?? [];
    if (quoted === undefined) continue;
    const last = messages.at(-1);
    if (keyword === 'msgctxt') {
      context = '';
      append = (piece) => {
        context += piece;
      };
    } else if (keyword === 'msgid') {
      const message = { context, id: '', plural: '', texts: [] };
      context = '';
      messages.push(message);
      append = (piece) => {
        message.id += piece;
      };
    } else if (keyword === 'msgid_plural' && last) {
      append = (piece) => {
        last.plural += piece;
      };
    } else if (keyword === 'msgstr' && last) {
      const at = Number(index ?? 0);
      append = (piece) => {
        last.texts[at] = (last.texts[at] ?? '') + piece;
      };
    }
    append(quoted.replace(/\\(["\\])/g, '$1'));
  }
  return messages;
}

/** @param {Message} message @returns {[key: string, text: string][]} */
function keysOf({ context, id, plural, texts }) {
  const start = context === '' ? id : `${context}\u0001${id}`;
  return texts.flatMap((text, index) => {
    if (text === '') return [];
    return [[plural === '' ? start : `${start}\u0002${index}`, text]];
  });
}

/**
 * @param {string} text of a .po file
 * @returns {Buffer | null} null when nothing is translated
 */
export function compileCatalogue(text) {
  /** @type {{ key: number, forms: number, offset: number, length: number }[]} */
  const index = [];
  /** @type {Buffer[]} */
  const pieces = [];
  let offset = 0;
  /** @param {number} key @param {number} forms @param {Buffer} bytes */
  const add = (key, forms, bytes) => {
    index.push({ key, forms, offset, length: bytes.length });
    const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
    bytes.copy(padded);
    pieces.push(padded);
    offset += padded.length;
  };
  for (const message of parsePo(text)) {
    if (message.id === '') {
      const [, forms] = /(?:^|\\n)Plural-Forms: (.*?)\\n/i.exec(message.texts[0] ?? '') ?? [];
      if (forms !== undefined) add(0, 0, Buffer.from(forms));
      continue;
    }
    for (const [key, translation] of keysOf(message)) {
      const bytes = Buffer.from(translation);
      const keyHash = hashOf(Buffer.from(key));
      if (keyHash !== hashOf(bytes)) add(keyHash, message.texts.length, bytes);
    }
  }
  if (offset === 0) return null;
  index.sort((a, b) => a.key - b.key);
  const table = Buffer.alloc(index.length * 16 + 4);
  for (const [row, { key, forms, offset: start, length }] of index.entries())
    for (const [column, value] of [key, forms, start, length].entries())
      table.writeUInt32BE(value, row * 16 + column * 4);
  table.writeUInt32BE(offset, index.length * 16);
  return Buffer.concat([...pieces, table]);
}

/**
 * What is in a compiled catalogue, as LuCI hands it to the browser.
 *
 * @param {Buffer} bytes
 * @returns {Map<number, string>} texts by hash
 */
export function readCatalogue(bytes) {
  const texts = new Map();
  if (bytes.length < 4) return texts;
  const end = bytes.length - 4;
  for (let at = bytes.readUInt32BE(end); at < end; at += 16) {
    const start = bytes.readUInt32BE(at + 8);
    const length = bytes.readUInt32BE(at + 12);
    texts.set(bytes.readUInt32BE(at), bytes.subarray(start, start + length).toString('utf8'));
  }
  return texts;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [source, target] = process.argv.slice(2);
  if (!source || !target) throw new Error('usage: node scripts/po2lmo.mjs input.po output.lmo');
  const catalogue = compileCatalogue(readFileSync(source, 'utf8'));
  if (!catalogue) throw new Error(`${source}: nothing is translated`);
  writeFileSync(target, catalogue);
}
