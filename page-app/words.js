// The page's words in its language, and as a Debian machine has them: the texts themselves name what OpenWrt has.
import { inDebiansWords } from '../src/core/notices/debian-words.ts';

const trim = (text) =>
  String(text)
    .trim()
    .replace(/[ \t\n]+/g, ' ');
const lookUp = (key) => window.iotshaperWords?.[key];

/** What the pages say beside the service's own words, and German where it has LuCI's menus within a sentence. */
const replacements = [
  ['/etc/init.d/iotshaper restart', 'systemctl restart iotshaper'],
  ['under Status → System Log', 'with: journalctl -u iotshaper'],
  ['unter Status → Systemprotokoll', 'mit: journalctl -u iotshaper'],
  ['/etc/config/iotshaper', '/etc/iotshaper/iotshaper'],
  ['the package iot-shaper again', 'the package iot-shaper-home again'],
  ['das Paket iot-shaper erneut', 'das Paket iot-shaper-home erneut'],
  ['uci set iotshaper.rate', 'iotshaper set rate'],
  ['LuCI → Dienste → IoT-Privatsphäre → Geräte, oder führen', 'führen'],
  [
    'sehen Sie nach, ob in LuCI unter System → System → Zeitsynchronisierung der NTP-Client eingeschaltet ist',
    'führen Sie „timedatectl set-ntp true“ aus',
  ],
  ['in LuCI unter System → System neu', 'neu (timedatectl set-timezone)'],
  ['in LuCI unter System → System → Zeitsynchronisierung', '(timedatectl set-ntp true)'],
];

/** As a Debian machine has it. Other menus of LuCI, in whatever language, are left out. @param {string} text */
export function onDebian(text) {
  let said = inDebiansWords(text);
  for (const [from, to] of replacements) said = said.replaceAll(from, to);
  return said.replace(/ \([^()]*LuCI → [^()]*\)/g, '');
}

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
