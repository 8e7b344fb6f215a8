// Files packed with zstd or xz, told by their first bytes; Node.js 20 knows neither. gzip is unpacked before they come here.
import { Decompress } from 'fzstd';
import xz from 'xz-decompress';

/** A module of CommonJS, whose names Node.js sees only in its default. */
const { XzReadableStream } = xz;

const magics = {
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
  xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  bzip2: [0x42, 0x5a, 0x68],
} as const;

/** How a file that begins so is packed; null where it is not. */
export function packingOf(head: Uint8Array): keyof typeof magics | null {
  const names = Object.keys(magics) as (keyof typeof magics)[];
  return names.find((name) => magics[name].every((byte, i) => head[i] === byte)) ?? null;
}

/** @param refuse makes an error of why it cannot be unpacked */
export async function* unpack(
  packing: keyof typeof magics,
  pieces: AsyncIterable<Uint8Array>,
  refuse: (problem: string) => Error,
): AsyncGenerator<Uint8Array> {
  if (packing === 'bzip2') throw refuse('is packed with bzip2: unpack it first (bunzip2)');
  try {
    yield* packing === 'zstd' ? unpackZstd(pieces) : unpackXz(pieces);
  } catch (error) {
    throw refuse(`is packed with ${packing} and damaged: ${(error as Error).message}`);
  }
}

async function* unpackZstd(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  const stream = new Decompress((piece) => ready.push(piece));
  for await (const piece of pieces) {
    stream.push(piece);
    yield* ready;
    ready = [];
  }
  stream.push(new Uint8Array(0), true);
  yield* ready;
}

async function* unpackXz(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = pieces[Symbol.asyncIterator]();
  const packed = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await source.return?.();
    },
  });
  const reader = new XzReadableStream(packed).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    // The library reuses its memory for the next piece.
    yield value.slice();
  }
}
