// What a person is told, as data: a code that `words.ts` words, and the values that its sentence needs.
import type { endpointWords } from './words/endpoint.ts';
import type { words } from './words.ts';

type Words = typeof words & typeof endpointWords;

/** What a home says; an endpoint says more, by a function of its own, `notice` of `core/endpoint/notice.ts`. */
type HomeCode = keyof typeof words;

export type NoticeCode = keyof Words;

/** A text stands as it is, a number is written as the reader's language has it, a notice is worded within its sentence. */
export type NoticeValue = string | number | Notice;

export type NoticeValues = Readonly<Record<string, NoticeValue>>;

export interface Notice {
  readonly code: NoticeCode;
  /** By the names of the places in the code's template. */
  readonly values: NoticeValues;
}

/** Names of the places in a template. */
type PlacesOf<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PlacesOf<Rest>
  : never;

/** A value for each place of a code's template, and none besides. */
export type ValuesOf<Code extends NoticeCode> = {
  readonly [Name in PlacesOf<Words[Code]>]: NoticeValue;
};

/** Whether the template needs values at all. */
export type Arguments<Code extends NoticeCode> = [PlacesOf<Words[Code]>] extends [never]
  ? []
  : [values: ValuesOf<Code>];

export function notice<Code extends HomeCode>(code: Code, ...[values]: Arguments<Code>): Notice {
  return { code, values: values ?? {} };
}
