// Folding the typed sections rate and enabled into main changes the file, not what is in force.
import test from 'ava';
import { parseConfig, readConfig } from '../../src/core/config/config.ts';
import { foldRateSection } from '../../src/core/config/rate-section.ts';
import { parseUci } from '../../src/core/config/uci/uci.ts';
import { renderUciFile } from '../../src/core/config/uci/uci-writer.ts';

const fold = (text: string) =>
  renderUciFile(foldRateSection(parseUci(text, 'iotshaper'))).toString();

test('the option takes the value, at its place', (t) => {
  t.is(
    fold(
      "config iotshaper 'main'\n\toption rate '20'\n\toption mode 'vit'\nconfig 40 'rate'\nconfig device 'd'\n",
    ),
    "\nconfig iotshaper 'main'\n\toption rate '40'\n\toption mode 'vit'\n\nconfig device 'd'\n\n",
  );
});

test('main is made where there is none', (t) => {
  t.is(
    fold("config device 'd'\nconfig 1 'enabled'\n"),
    "\nconfig iotshaper 'main'\n\toption enabled '1'\n\nconfig device 'd'\n\n",
  );
});

test('what is in force stays in force', (t) => {
  const text =
    "config iotshaper 'main'\n\toption upload_rate '3'\nconfig 7.5 'rate'\nconfig 1 'enabled'\n";
  const before = parseConfig(text).config;
  const after = readConfig(foldRateSection(parseUci(text, 'iotshaper'))).config;
  const rate = { ...before.main.rate, source: 'main.rate' };
  t.deepEqual(after as unknown, { ...before, main: { ...before.main, rate } });
  t.is(after.main.rate.uploadKBps, 7.5);
});

test('a package without typed sections is left as it is, and the given one always', (t) => {
  const plain = parseUci("config iotshaper 'main'\n", 'iotshaper');
  t.is(foldRateSection(plain), plain);
  const typed = parseUci("config iotshaper 'main'\nconfig 4 'rate'\n", 'iotshaper');
  foldRateSection(typed);
  t.is(typed.sections.length, 2);
  t.is(typed.sections[0]?.options.size, 0);
});
