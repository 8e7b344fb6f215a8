// Every sentence that a running service tells a person, worded once, in English.
import { fillIn } from './fill.ts';
import type { Notice } from './notice.ts';
import { auditWords } from './words/audit.ts';
import { configWords } from './words/config.ts';
import { deliveryWords } from './words/delivery.ts';
import { faultWords } from './words/faults.ts';
import { homeWords } from './words/home.ts';
import { logWords } from './words/log.ts';
import { profileWords } from './words/profile.ts';
import { stateWords } from './words/state.ts';
import { toolWords } from './words/tools.ts';
import { tunnelWords } from './words/tunnel.ts';

/** The template of each code that a home says; a name in braces is a place for one of the notice's values. */
export const words = {
  ...stateWords,
  ...faultWords,
  ...deliveryWords,
  ...homeWords,
  ...configWords,
  ...profileWords,
  ...toolWords,
  ...auditWords,
  ...logWords,
  ...tunnelWords,
} as const;

const templates: Record<string, string> = { ...words };

/** Words for more codes, of a role that others do without. */
export function addWords(more: Readonly<Record<string, string>>): void {
  Object.assign(templates, more);
}

/** The notice in words. @param translate the whole template in another language than English, places and all */
export function wordsOf(
  notice: Notice,
  translate: (template: string) => string = asItIs,
  numberText: (value: number) => string = String,
): string {
  return fillIn(notice, (code) => translate(templates[code]!), numberText);
}

/** Sentences one after the other. */
export function sentencesOf(notices: readonly Notice[]): string {
  return notices.map((one) => wordsOf(one)).join(' ');
}

function asItIs(template: string): string {
  return template;
}
