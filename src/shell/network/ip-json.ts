// What `ip -j` lists.
import { run } from '../system/command.ts';

/**
 * The rows that `ip -j WORDS` lists; none where it prints nothing.
 *
 * @throws {CommandError} where ip refuses the question.
 */
export async function ipJson<T>(words: readonly string[]): Promise<T[]> {
  const { stdout } = await run(['ip', '-j', ...words]);
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as T[]);
}
