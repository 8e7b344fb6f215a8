// What a person types to change the configuration where there is no uci.
import test from 'ava';
import { parseConfig } from '../../src/core/config/config.ts';
import { sections } from '../../src/core/config/options/options.ts';
import { parseUci } from '../../src/core/config/uci/uci.ts';
import { EditError, parseChange, UciEdit } from '../../src/core/config/uci/uci-edit.ts';

const TEXT = `
config iotshaper 'main'
	option rate '40'
	list house 'br-a'

config device
	option mac '18:b4:30:00:00:01'

config device
	option name 'Nest Cam'
	option mac '18:b4:30:00:00:02'

config schedule 'night'
	option start '00:00'
	option end '06:00'
	option rate '5'
`;

const open = (text = TEXT) => new UciEdit(parseUci(text, 'iotshaper'), sections);

for (const [typed, shown] of [
  ['rate=60', 'main.rate=60'],
  ['main.rate=60', 'main.rate=60'],
  ['iotshaper.main.rate=60', 'main.rate=60'],
  ['upload_rate=7.5', 'main.upload_rate=7.5'],
  ['profile=/root/a b.ovpn', "tunnel.profile='/root/a b.ovpn'"],
  ['tunnel.interface=iot1', 'tunnel.interface=iot1'],
  ['@device[0].policy=block', '@device[0].policy=block'],
  ["@device[-1].name=Anna's cam", "@device[1].name='Anna'\\''s cam'"],
  ['night.days=sat,sun', "night.days='sat sun'"],
  ['house+=br-b', "main.house='br-a br-b'"],
  ['house+=br-a', 'main.house=br-a'],
  ['house=br-c', 'main.house=br-c'],
] as const) {
  test(`${typed} gives ${shown}`, (t) => {
    const edit = open();
    edit.apply(parseChange(typed));
    t.true(edit.show(null).includes(shown), edit.show(null).join('\n'));
    t.notThrows(() => parseConfig(edit.render()));
    t.deepEqual(open(new TextDecoder().decode(edit.render())).show(null), edit.show(null));
  });
}

for (const [typed, gone] of [
  ['rate=', 'main.rate'],
  ['house-=br-a', 'main.house'],
  ['@device[1].name=', '@device[1].name'],
] as const) {
  test(`${typed} takes ${gone} away`, (t) => {
    const edit = open();
    edit.apply(parseChange(typed));
    t.false(edit.show(null).some((line) => line.startsWith(`${gone}=`)));
  });
}

for (const [typed, said] of [
  ['rate', /write OPTION=VALUE, such as rate=40/],
  ['=40', /write OPTION=VALUE/],
  ['rat=40', /"rat": there is no such option; did you mean "rate"\?/],
  ['colour=red', /"colour": there is no such option; "iotshaper show" lists/],
  ['main.rat=40', /a section of type iotshaper has no such option; did you mean "rate"\?/],
  ['@device[7].mac=1', /"@device\[7\]": there is no such section/],
  ['@network[0].device=a', /"@network\[0\]": there is no such section/],
  ['night=1', /"night" is a section; name one of its options/],
  ['rate+=1', /has one value: write rate=1/],
] as const) {
  test(`${typed} is refused`, (t) => {
    const edit = open();
    const before = edit.show(null);
    t.regex(
      t.throws(() => edit.apply(parseChange(typed)), { instanceOf: EditError })!.message,
      said,
    );
    t.deepEqual(edit.show(null), before);
  });
}

test('what uci set iotshaper.rate=40 left is no longer above what is typed', (t) => {
  const edit = open("config 25 'rate'\n\nconfig 0 'enabled'\n");
  edit.apply(parseChange('rate=60'));
  t.deepEqual(edit.show(null), ['main.rate=60']);
  t.is(parseConfig(edit.render()).config.main.rate.uploadKBps, 60);
  edit.apply(parseChange('enabled=1'));
  t.true(parseConfig(edit.render()).config.main.enabled);
});

test('sections are added, named by their place, and taken away', (t) => {
  const edit = open();
  t.is(edit.add('network', [parseChange('device=eth1')]), '@network[0]');
  t.is(
    edit.add('device', ['mac=18:b4:30:00:00:03', 'policy=block'].map(parseChange)),
    '@device[2]',
  );
  t.deepEqual(edit.show('@device[-1]'), [
    '@device[2].mac=18:b4:30:00:00:03',
    '@device[2].policy=block',
  ]);
  edit.delete('@device[0]');
  t.deepEqual(edit.show('@device[0]'), [
    "@device[0].name='Nest Cam'",
    '@device[0].mac=18:b4:30:00:00:02',
  ]);
  edit.delete('@device[0].name');
  edit.delete('night');
  t.is(edit.get('@device[0].name'), null);
  t.is(parseConfig(edit.render()).config.schedules.length, 0);
  for (const [work, said] of [
    [
      () => edit.add('iotshaper', []),
      /"iotshaper": what can be added is network, device, schedule/,
    ],
    [() => edit.add('device', [parseChange('colour=red')]), /has no such option; it has name, mac/],
    [() => edit.delete('@network[4]'), /there is no such section/],
    [() => edit.delete('tunnel'), /"tunnel": is not there/],
    [() => edit.get('main'), /"main" is a section/],
  ] as const) {
    t.regex(t.throws(work, { instanceOf: EditError })!.message, said);
  }
  t.is(edit.show(null).filter((line) => line.startsWith('@device')).length, 3);
});

test('an option that is not set has its default', (t) => {
  const edit = open('');
  t.is(edit.get('packet_size'), '512');
  t.is(edit.get('data_cap'), null);
  t.is(edit.get('iotshaper.tunnel.profile'), '/etc/iotshaper/home.ovpn');
  t.deepEqual(edit.show(null), []);
});
