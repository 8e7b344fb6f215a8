// Notices as the bus has them: each text in English, and beside it the code and the values it was made of.
import type { ConfigProblem } from '../config/config-error.ts';
import type { Notice, NoticeCode, NoticeValues } from '../notices/notice.ts';
import { wordsOf } from '../notices/words.ts';
import type { ConfigStatus, ProfileError, Reason } from './api.ts';

/** What came of reading a configuration. */
export interface ConfigVerdict {
  ok: boolean;
  errors: ConfigProblem[];
  warnings: Notice[];
  /** What was understood instead of what stands there. */
  notes?: Notice[];
}

export function renderConfigStatus({ ok, errors, warnings, notes }: ConfigVerdict): ConfigStatus {
  return {
    ok,
    errors: errors.map(({ path, value, ...said }) => ({ path, value, ...renderMessage(said) })),
    warnings: warnings.map((warning) => wordsOf(warning)),
    warning_notices: warnings.map(bare),
    ...(notes && {
      notes: notes.map((note) => wordsOf(note)),
      note_notices: notes.map(bare),
    }),
  };
}

/** A notice with whatever else it carries, without that. */
export function bare({ code, values }: Notice): Notice {
  return { code, values };
}

/** A text of this name with what it was made of. */
export function renderAs<Name extends string>(
  name: Name,
  { code, values }: Notice,
): Record<Name, string> &
  Record<`${Name}_code`, NoticeCode> &
  Record<`${Name}_values`, NoticeValues> {
  const rendered = { [name]: wordsOf({ code, values }), [`${name}_code`]: code };
  return { ...rendered, [`${name}_values`]: values } as ReturnType<typeof renderAs<Name>>;
}

export function renderReason(said: Notice): Reason {
  return renderAs('reason', said);
}

export function renderMessage({ code, values }: Notice): Omit<ProfileError, 'line'> {
  return { message: wordsOf({ code, values }), code, values };
}
