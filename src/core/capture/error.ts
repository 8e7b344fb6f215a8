// What is wrong with a capture file, and where in it.

/** Why a file cannot be read, in a user's words. */
export function readFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'no such file';
  return code === 'EISDIR' ? 'is a directory' : message;
}

/** A capture that cannot be read further; everything before `offset` was good and has been handed over. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  readonly file: string;
  /** Index from 0 of the packet that could not be read. */
  readonly packetIndex: number;
  /** Where its record begins, bytes from the start of the file. */
  readonly offset: number;

  /** The place is told in the message unless the file could not even be opened. */
  constructor(
    file: string,
    packetIndex: number,
    offset: number,
    problem: string,
    { opened = true } = {},
  ) {
    const place = `packet ${packetIndex + 1} (index ${packetIndex}) at byte ${offset}: `;
    super(`${file}: ${opened ? place : ''}${problem}`);
    this.file = file;
    this.packetIndex = packetIndex;
    this.offset = offset;
  }
}
