// The C library's errors as the door's.
import * as machine from 'quickjs:machine';
import { SystemError } from '../system.ts';

const names = new Map<number, string>();
for (const [name, value] of Object.entries(machine)) {
  if (/^E[A-Z]/.test(name)) names.set(value as unknown as number, name);
}

/** @param number as errno(3) has it, or its negative */
export function systemError(number: number, what: string): SystemError {
  const code = names.get(Math.abs(number)) ?? `E${Math.abs(number)}`;
  return new SystemError(code, `${code}: ${what}`);
}

/** What a call returned. @throws {SystemError} where that is an error's negative number */
export function checked(result: number, what: string): number {
  if (result < 0) throw systemError(result, what);
  return result;
}
