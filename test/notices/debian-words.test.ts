// What a person reads on Debian: no command and no page of OpenWrt's, in no sentence there is.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { sections } from '../../src/core/config/options/options.ts';
import { parseUci } from '../../src/core/config/uci/uci.ts';
import { parseChange, UciEdit } from '../../src/core/config/uci/uci-edit.ts';
import { inDebiansWords } from '../../src/core/notices/debian-words.ts';
import { words } from '../../src/core/notices/words.ts';

const OPENWRT = /LuCI|opkg|\/etc\/init\.d|service iotshaper|logread|\buci |reload_config|kmod-/;

test('every sentence that names OpenWrt’s commands or pages names Debian’s', (t) => {
  const ofOpenWrt = Object.entries(words).filter(([, template]) => OPENWRT.test(template));
  t.true(ofOpenWrt.length > 8);
  for (const [code, template] of ofOpenWrt) {
    // What is read of fw4 alone there never is.
    if (/^(flow-offloading|auto-includes|firewall)/.test(code)) continue;
    for (const text of [template, JSON.stringify(template)]) {
      const said = inDebiansWords(text);
      t.notRegex(said, OPENWRT, code);
      t.notRegex(said, / {2}|\( |"".*""/, code);
    }
    t.deepEqual(JSON.parse(inDebiansWords(JSON.stringify(template))), inDebiansWords(template));
  }
});

/** Commands to be typed, as they stand in the sources, with something in each place. */
const commands = ['src/core', 'src/shell'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('debian-words.ts'))
    .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/`(uci [^`]+)`/g)])
    .map(([, text]) => text!)
    .filter((text) => /^uci (set|add)/.test(text) && !text.includes('firewall')),
);
const values: Readonly<Record<string, string>> = {
  COMMIT: 'uci commit iotshaper; reload_config',
  packageName: 'iotshaper',
  path: 'iotshaper.tunnel.interface',
  option: 'upload_rate',
  meantOption: 'rate',
  name: 'br-a',
  netdev: 'br-a',
  'device.section': '@device[0]',
  mac: '18:b4:30:00:00:01',
};

test('commands that set something are those of iotshaper, and do what those of uci do', (t) => {
  t.true(commands.length >= 9, `${commands.length}`);
  for (const command of commands) {
    const typed = command.replace(/\$\{([\w.]+)\}/g, (_, name: string) => values[name] ?? '7');
    const said = inDebiansWords(`so run "${typed}"`);
    const [, verb, rest = ''] = /^so run "iotshaper (set|add) ([^";]+)"$/.exec(said) ?? [];
    t.truthy(verb, said);
    const edit = new UciEdit(parseUci("config device\n\toption mac '1'\n", 'iotshaper'), sections);
    if (verb === 'set') edit.apply(parseChange(rest));
    else edit.add(rest.split(' ')[0]!, [parseChange(rest.split(' ')[1]!)]);
    t.true(edit.show(null).length > 1, said);
  }
});

test('other text is left as it is', (t) => {
  for (const text of ['', 'Off.', 'run "iotshaper endpoint list"', '{"rate": 40}\n']) {
    t.is(inDebiansWords(text), text);
  }
});
