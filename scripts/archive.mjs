// Writes tar and ar archives that hold nothing but what they are given: same entries, same bytes.
import { gzip as deflate } from 'pako';

/**
 * @typedef {object} Entry
 * @property {string} path within the archive, without a leading slash; a directory's ends in one
 * @property {number} [mode]
 * @property {Buffer | string} [data] absent for a directory
 */

const BLOCK = 512;

/**
 * A ustar archive (POSIX.1-1988), every entry owned by root.
 *
 * @param {Entry[]} entries
 * @param {number} mtime unix seconds of every entry
 * @returns {Buffer}
 */
export function packTar(entries, mtime) {
  const parts = [];
  for (const { path, mode, data } of entries) {
    const isDirectory = path.endsWith('/');
    const bytes = Buffer.from(data ?? '');
    const header = Buffer.alloc(BLOCK);
    if (Buffer.byteLength(path) > 100) throw new Error(`${path}: longer than ustar's 100 bytes`);
    header.write(path, 0);
    header.write(octal(mode ?? (isDirectory ? 0o755 : 0o644), 7), 100);
    header.write(octal(0, 7), 108);
    header.write(octal(0, 7), 116);
    header.write(octal(bytes.length, 11), 124);
    header.write(octal(mtime, 11), 136);
    header.write('        ', 148);
    header.write(isDirectory ? '5' : '0', 156);
    header.write('ustar\x0000', 257);
    header.write('root', 265);
    header.write('root', 297);
    header.write(
      `${octal(
        header.reduce((sum, byte) => sum + byte, 0),
        6,
      )}\0 `,
      148,
    );
    parts.push(header, bytes, Buffer.alloc(-bytes.length & (BLOCK - 1)));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}

/**
 * An ar archive as dpkg reads it (deb(5)).
 *
 * @param {{ name: string, data: Buffer }[]} members
 * @param {number} mtime
 * @returns {Buffer}
 */
export function packAr(members, mtime) {
  const parts = [Buffer.from('!<arch>\n')];
  for (const { name, data } of members) {
    const fields = [name.padEnd(16), `${mtime}`.padEnd(12), '0'.padEnd(6), '0'.padEnd(6)];
    parts.push(
      Buffer.from(`${fields.join('')}${'100644'.padEnd(8)}${`${data.length}`.padEnd(10)}\`\n`),
    );
    parts.push(data, Buffer.from(data.length % 2 ? '\n' : ''));
  }
  return Buffer.concat(parts);
}

/**
 * gzip without name and time. In plain JavaScript, since each version of Node.js has a zlib of its own, whose bytes differ.
 *
 * @param {Buffer} bytes
 * @returns {Buffer}
 */
export function gzip(bytes) {
  return Buffer.from(deflate(bytes, { level: 9 }));
}

/** @param {number} value @param {number} digits */
function octal(value, digits) {
  return value.toString(8).padStart(digits, '0');
}
