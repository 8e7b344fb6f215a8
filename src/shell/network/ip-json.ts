// What `ip -j` lists.
import type { System } from '../system/system.ts';

/**
 * The rows that `ip -j WORDS` lists; none where it prints nothing.
 *
 * @throws {CommandError} where ip refuses the question.
 */
export async function ipJson<T>(
  { processes }: Pick<System, 'processes'>,
  words: readonly string[],
): Promise<T[]> {
  const { stdout } = await processes.run(['ip', '-j', ...words]);
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as T[]);
}
