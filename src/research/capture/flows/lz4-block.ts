// Unpacks a block as LZ4 packs it (its block format's description); nfcapd packs blocks of flows so.

/** @throws RangeError where the block is damaged, or longer than `mostBytes` once unpacked */
export function unpackLz4(block: Uint8Array, mostBytes: number): Uint8Array {
  const out = new Uint8Array(mostBytes);
  let filled = 0;
  let at = 0;
  const fail = (): never => {
    throw new RangeError('a block packed with LZ4 is damaged');
  };
  const readLength = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (;;) {
      const more = block[at++] ?? fail();
      length += more;
      if (more < 255) return length;
    }
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = readLength(token >> 4);
    if (at + literals > block.length || filled + literals > mostBytes) fail();
    out.set(block.subarray(at, at + literals), filled);
    at += literals;
    filled += literals;
    // The last sequence is literals alone.
    if (at >= block.length) break;
    const distance = block[at]! | ((block[at + 1] ?? fail()) << 8);
    at += 2;
    const length = readLength(token & 15) + 4;
    const from = filled - distance;
    if (distance === 0 || from < 0 || filled + length > mostBytes) fail();
    for (let i = 0; i < length; i++) out[filled + i] = out[from + i]!;
    filled += length;
  }
  return out.subarray(0, filled);
}
