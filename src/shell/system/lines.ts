// Lines of what a program or a connection writes, wherever its pieces end.
import { LineSplitter } from '../../core/text/line-splitter.ts';

/** Takes bytes and calls back with each whole line, without its end. */
export function lineReader(
  onLine: (line: string) => void,
  longest?: number,
): (piece: Uint8Array) => void {
  const splitter = new LineSplitter(longest);
  return (piece) => {
    for (const line of splitter.push(piece)) onLine(line);
  };
}
