// Notices as the bus has them: each text in English, and beside it the code and the values it was made of.
import type { ConfigProblem } from '../config/config-error.ts';
import type { Notice } from '../notices/notice.ts';
import { wordsOf } from '../notices/words.ts';
import type { ConfigStatus, ProfileError, Reason, Status } from './api.ts';

/** What came of reading a configuration. */
export interface ConfigVerdict {
  ok: boolean;
  errors: ConfigProblem[];
  warnings: Notice[];
}

export function renderConfigStatus({ ok, errors, warnings }: ConfigVerdict): ConfigStatus {
  return {
    ok,
    errors: errors.map(({ path, value, ...said }) => ({ path, value, ...renderMessage(said) })),
    warnings: warnings.map((warning) => wordsOf(warning)),
    warning_notices: warnings.map(bare),
  };
}

/** A notice with whatever else it carries, without that. */
export function bare({ code, values }: Notice): Notice {
  return { code, values };
}

export function renderReason({ code, values }: Notice): Reason {
  return { reason: wordsOf({ code, values }), reason_code: code, reason_values: values };
}

/** What stands in the way, as part of a status. */
export function renderFault({
  code,
  values,
}: Notice): Pick<Status, `fault${'' | '_code' | '_values'}`> {
  return { fault: wordsOf({ code, values }), fault_code: code, fault_values: values };
}

export function renderMessage({ code, values }: Notice): Omit<ProfileError, 'line'> {
  return { message: wordsOf({ code, values }), code, values };
}
