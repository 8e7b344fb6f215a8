// Every sentence that the running service tells a person, worded once, in English.
import { fillPlaces } from './fill.ts';
import type { Notice, NoticeValue } from './notice.ts';
import { configWords } from './words/config.ts';
import { endpointWords } from './words/endpoint.ts';
import { faultWords } from './words/faults.ts';
import { homeWords } from './words/home.ts';
import { logWords } from './words/log.ts';
import { profileWords } from './words/profile.ts';
import { stateWords } from './words/state.ts';
import { toolWords } from './words/tools.ts';

/** By subject, as they stand in `words/`. */
export const subjects = {
  stateWords,
  faultWords,
  homeWords,
  configWords,
  profileWords,
  toolWords,
  logWords,
  endpointWords,
} as const;

/** The template of each code; a name in braces is a place for one of the notice's values. */
export const words = {
  ...stateWords,
  ...faultWords,
  ...homeWords,
  ...configWords,
  ...profileWords,
  ...toolWords,
  ...logWords,
  ...endpointWords,
} as const;

/** A language that a notice is told in. */
export interface Language {
  /** The whole template in that language, places and all. */
  translate?: (template: string) => string;
  number?: (value: number) => string;
}

/** The notice in words; in English unless told otherwise. */
export function wordsOf({ code, values }: Notice, language: Language = {}): string {
  const { translate = (template) => template } = language;
  return fillPlaces(translate(words[code]), values, (value) => textOf(value, language));
}

/** Sentences one after the other. */
export function sentencesOf(notices: readonly Notice[], language: Language = {}): string {
  return notices.map((one) => wordsOf(one, language)).join(' ');
}

/** A value as it stands in a sentence. */
export function textOf(value: NoticeValue, language: Language = {}): string {
  if (typeof value === 'object') return wordsOf(value, language);
  const { number = String } = language;
  return typeof value === 'number' ? number(value) : value;
}
