// An error that says what it is as a notice, and what becomes of errors that don't.
import { type Notice, notice } from './notice.ts';
import { wordsOf } from './words.ts';

export class NoticeError extends Error {
  override name = 'NoticeError';
  readonly notice: Notice;

  constructor(said: Notice) {
    super(wordsOf(said));
    this.notice = said;
  }
}

/** What an error says, whoever threw it. */
export function noticeOfError(error: unknown): Notice {
  if (error instanceof NoticeError) return error.notice;
  return notice('unexpected-error', {
    error: error instanceof Error ? error.message : String(error),
  });
}
