// The page's words in its language, and as a Debian machine has them: the texts themselves name what OpenWrt has.
import { inDebiansWords } from '../src/core/notices/debian-words.ts';

const trim = (text) =>
  String(text)
    .trim()
    .replace(/[ \t\n]+/g, ' ');
const lookUp = (key) => window.iotshaperWords?.[key];

/** Menus of LuCI, in whatever language, which are not here. @param {string} text */
export const onDebian = (text) => inDebiansWords(text).replace(/ \([^()]*LuCI → [^()]*\)/g, '');

/** The translation of a text, with its context where one word means two things. */
export function translate(text, context) {
  const key = `${context === undefined ? '' : `${trim(context)}\u0001`}${trim(text)}`;
  return onDebian(lookUp(key) ?? text);
}

/** The translation for a number of things. */
export function translateCount(count, singular, plural) {
  const form = Number(count !== 1);
  return onDebian(lookUp(`${trim(singular)}\u0002${form}`) ?? (form ? plural : singular));
}

/** `%s` alone: numbers are rendered in the browser's locale before. */
export function format(text, values) {
  let next = 0;
  return text.replace(/%([%s])/g, (_all, kind) => (kind === '%' ? '%' : values[next++]));
}
