// Lines of a text that comes in pieces: a file's, a child's output, a protocol's.

const LONGEST_LINE = 65_536;

/** Splits UTF-8 into lines, wherever its pieces happen to end. */
export class LineSplitter {
  readonly #longest: number;
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** @param longest what is kept of a line whose end has not come */
  constructor(longest = LONGEST_LINE) {
    this.#longest = longest;
  }

  /** Lines completed by this piece, without their ends. An endless line is cut rather than kept. */
  push(piece: string | Uint8Array): string[] {
    const text = typeof piece === 'string' ? piece : this.#decoder.decode(piece, { stream: true });
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!.slice(-this.#longest);
    return lines.map(withoutReturn);
  }

  /** The last line, where the text ended without a line's end. */
  end(): string[] {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = '';
    return rest === '' ? [] : [withoutReturn(rest)];
  }
}

/** The lines of a text that is read piece by piece. */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const splitter = new LineSplitter();
  for await (const piece of pieces) yield* splitter.push(piece);
  yield* splitter.end();
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
