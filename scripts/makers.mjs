// Writes the page's table of makers from the IEEE's public list: node scripts/makers.mjs oui.csv
import { readFileSync, writeFileSync } from 'node:fs';

const target = 'luci-app/htdocs/luci-static/resources/iotshaper/makers.js';

/** What the page calls a maker, and how its registrations begin or what they hold. */
const makers = [
  ['Amazon', /^Amazon Technologies/],
  ['Amcrest', /^Amcrest/],
  ['Anker', /Anker Innov|^Fantasia Trading/],
  ['Arlo', /^Arlo/],
  ['August', /^August Home/],
  ['AVM', /^AVM (GmbH|Aud)/],
  ['Axis', /^Axis Comm/],
  ['Belkin (WeMo)', /^Belkin/],
  ['Blink', /^Immedia Semi/],
  ['Bose', /^Bose/],
  ['BroadLink', /broadlink/i],
  ['BSH', /^BSH /],
  ['Chamberlain', /Chamberlain/],
  ['D-Link', /^D-Link/],
  ['Dahua', /Dahua/],
  ['Dyson', /^Dyson/],
  ['ecobee', /^ecobee/],
  ['eQ-3', /eQ-3/],
  ['Espressif', /^Espressif/],
  ['Fitbit', /^Fitbit/],
  ['Google', /^Google/],
  ['Hi-Flying', /^Hi-?flying/i],
  ['Hikvision', /Hikvision/],
  ['Honeywell', /Honeywell|Resideo|Ademco/],
  ['IKEA', /^IKEA/],
  ['iRobot', /^iRobot/],
  ['LIFX', /^LIFI LABS/],
  ['Logitech', /^Logitech/],
  ['Lutron', /^Lutron/],
  ['Meross', /Meross/],
  ['Miele', /^Miele/],
  ['Nest', /^Nest Labs/],
  ['Netatmo', /^Netatmo/i],
  ['Nuki', /^Nuki/],
  ['Raspberry Pi', /^Raspberry Pi/],
  ['Reolink', /^Reolink/],
  ['Ring', /^Ring LLC/],
  ['Roborock', /Roborock/],
  ['Roku', /^Roku/],
  ['Signify (Hue)', /^Signify|^Philips Lighting/],
  ['SmartThings', /^SmartThings|^Samjin/],
  ['Sonos', /^Sonos/],
  ['tado', /^tado/],
  ['Texas Instruments', /^Texas Instruments/],
  ['TP-Link', /^TP-Link/i],
  ['Tuya', /^Tuya/],
  ['Vizio', /^Vizio/],
  ['Withings', /^Withings/],
  ['Wyze', /^Wyze/],
  ['Xiaomi', /Xiaomi|^Yeelight|^Lumi United/],
  ['Yi', /Shanghai Xiaoyi/],
];

const [source] = process.argv.slice(2);
if (!source) throw new Error('usage: node scripts/makers.mjs oui.csv');

/** @type {Map<string, string[]>} */
const prefixes = new Map(makers.map(([name]) => [name, []]));
for (const line of readFileSync(source, 'utf8').split('\n')) {
  const [, prefix, quoted, plain] = /^MA-L,([0-9A-F]{6}),(?:"([^"]*)"|([^,]*)),/.exec(line) ?? [];
  const maker = prefix && makers.find(([, pattern]) => pattern.test(quoted ?? plain));
  if (maker) prefixes.get(maker[0]).push(prefix);
}

const rows = [...prefixes]
  .filter(([, list]) => list.length > 0)
  .map(([name, list]) => {
    const lines = list
      .sort()
      .join('')
      .match(/.{1,84}/g);
    return `  '${name}': [\n${lines.map((line) => `    '${line}',\n`).join('')}  ],\n`;
  });

writeFileSync(
  target,
  `// Who made a device, by the first three bytes of its address. Written by scripts/makers.mjs from the
// IEEE's public MA-L list (as Debian packages it in ieee-data), makers of smart-home devices only.
'use strict';
'require baseclass';

/** Prefixes of six hexadecimal digits each, one after the other. @type {Record<string, string[]>} */
const prefixesOf = {
${rows.join('')}};

/** @type {Map<string, string>} */
const makerOf = new Map();
for (const [maker, lines] of Object.entries(prefixesOf))
  for (const line of lines)
    for (let at = 0; at < line.length; at += 6) makerOf.set(line.slice(at, at + 6), maker);

const api = {
  /**
   * The maker's name; '' when it is not in the list or the address is one the device made up.
   * @param {string} mac
   */
  find: (mac) => makerOf.get(mac.replaceAll(':', '').slice(0, 6).toUpperCase()) ?? '',

  /** Whether the address was made up by the device instead of given by its maker. @param {string} mac */
  isMadeUp: (mac) => (Number.parseInt(mac.slice(0, 2), 16) & 2) !== 0,
};

/** @typedef {typeof api} Makers */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
`,
);
