// What a person is told, as data.
export interface Notice { code: string; values: Readonly<Record<string, unknown>> }
export function notice(code: string, values: Notice['values'] = {}): Notice {
  return { code, values };
}
