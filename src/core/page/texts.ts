// Every text that the page has from the core, for translators: scripts/pot.mjs reads it.
import { fieldTexts } from './fields.ts';

/** English texts, each once. */
export function pageTexts(): string[] {
  return [...new Set(fieldTexts())];
}
