// What a person should mend in a home, from what its service says of itself or, where none runs, of what it would find. Pure.
import { isSame } from '../equality/equality.ts';
import { type Notice, notice } from '../notices/notice.ts';
import { bare, type ConfigVerdict } from './answers.ts';
import type { Status } from './api.ts';
import type { House } from './home-facts.ts';

/** What the service's status says is wrong: what stands in the way first, then what is wrong or odd besides. */
export function findingsOf(status: Status): Notice[] {
  const { state, config, reason_code: code, reason_values: values } = status;
  const { trouble_code: troubleCode, trouble_values: troubleValues = {} } = status;
  const errors = config.errors.map(bare);
  const trouble = troubleCode === undefined ? null : { code: troubleCode, values: troubleValues };
  const isWell = state === 'off' || (state === 'shaping' && trouble === null);
  // A refused configuration is told with all that is wrong in it.
  const isTold = isWell || (state === 'error' && errors.length > 0);
  return [
    ...(isTold ? [] : [{ code, values }]),
    ...errors,
    ...config.warning_notices.filter((warning) => trouble === null || !isSame(warning, trouble)),
  ];
}

/**
 * The same while no service runs.
 *
 * @param house what is seen of the house; null where the configuration tells nothing of it
 */
export function findingsWithout(
  { errors, warnings }: ConfigVerdict,
  house: House | null,
  isEnabled: boolean,
): Notice[] {
  const found = (house?.networkFindings ?? []).map(bare);
  return [
    ...(isEnabled ? [notice('service-stopped')] : []),
    ...errors.map(bare),
    ...warnings,
    ...found,
  ];
}
