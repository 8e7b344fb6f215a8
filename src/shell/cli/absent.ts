// Parts of the program that another package brings.

/** Whether a file that belongs to another package was looked for in vain; bundles ask for it by `require`. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}
