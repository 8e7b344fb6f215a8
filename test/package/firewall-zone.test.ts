// The script that makes devices' way out one of the firewall's zone wan, on a stand-in of `uci`.
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { temporaryFolder } from './archive.ts';

/** `uci` over a file of lines `KEY=WORD…`, as far as the script uses it. */
const UCI = `#!/bin/sh
[ "$1" = -q ] && shift
key=\${2%%=*} value=\${2#*=}
line=$(grep -F "$key=" "$FILE") && words=\${line#*=}
put() { grep -vF "$key=" "$FILE" > "$FILE.new"; [ -z "$1" ] || echo "$key=$1" >> "$FILE.new"; mv "$FILE.new" "$FILE"; }
case $1 in
get) [ -n "$line" ] && echo "$words" ;;
add_list) put "\${words:+$words }$value" ;;
del_list) put "$(echo $words | tr ' ' '\n' | grep -vxF "$value" | xargs)" ;;
commit) echo "commit $2" >> "$FILE.log" ;;
*) exit 9 ;;
esac
`;

function newFirewall(t: ExecutionContext, ...lines: string[]) {
  const folder = temporaryFolder(t);
  const file = join(folder, 'firewall');
  writeFileSync(file, `${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'uci'), UCI);
  chmodSync(join(folder, 'uci'), 0o755);
  return (action: string): string[] => {
    const argv = ['files/usr/share/iotshaper/firewall-zone', action];
    const env = { PATH: `${folder}:${process.env.PATH}`, FILE: file };
    const { status, stderr } = spawnSync('dash', argv, { encoding: 'utf8', env });
    t.is(status, 0, stderr);
    t.regex(readFileSync(`${file}.log`, 'utf8'), /^(commit firewall\n)+$/);
    return readFileSync(file, 'utf8').trimEnd().split('\n').sort();
  };
}

const zone = (index: number, name: string) => `firewall.@zone[${index}].name=${name}`;

test('zone wan gets the netdev once, beside what it has, and loses that alone', (t) => {
  const lines = [zone(0, 'lan'), zone(1, 'wan'), 'firewall.@zone[1].device=eth7'];
  const firewall = newFirewall(t, ...lines);
  const added = [...lines.slice(0, 2), 'firewall.@zone[1].device=eth7 iot0'].sort();
  t.deepEqual(firewall('add'), added);
  t.deepEqual(firewall('add'), added);
  t.deepEqual(firewall('remove'), [...lines].sort());
  t.deepEqual(firewall('remove'), [...lines].sort());
});

test('without a zone wan it is each that hides addresses, and the netdev is the configured one', (t) => {
  const lines = [zone(0, 'lan'), zone(1, 'dsl'), zone(2, 'lte')];
  const masq = ['firewall.@zone[1].masq=1', 'firewall.@zone[2].masq=1'];
  const firewall = newFirewall(t, ...lines, ...masq, 'iotshaper.tunnel.interface=iot7');
  const added = firewall('add').filter((line) => line.includes('device'));
  t.deepEqual(added, ['firewall.@zone[1].device=iot7', 'firewall.@zone[2].device=iot7']);
});

test('a firewall without zones is left alone', (t) => {
  const firewall = newFirewall(t, 'firewall.@defaults[0].input=REJECT');
  t.deepEqual(firewall('add'), ['firewall.@defaults[0].input=REJECT']);
});
