// Whom OpenVPN becomes, by the lists of users as systems have them.
import test from 'ava';
import { findPlainUser } from '../../src/shell/system/plain-user.ts';

const root = 'root:x:0:0:root:/root:/bin/sh\n';
const nobody = `${root}nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`;

for (const [system, passwd, groups, group] of [
  ['Debian', nobody, 'root:x:0:\nnogroup:x:65534:\n', 'nogroup'],
  [
    'OpenWrt',
    'root:x:0:0:root:/root:/bin/ash\nnobody:*:65534:65534:nobody:/var:/bin/false\n',
    'root:x:0:\nusers:x:100:\nnogroup:x:65534:\n',
    'nogroup',
  ],
  ['a system with another name for the group', nobody, 'root:x:0:\nnobody:x:65534:', 'nobody'],
] as const) {
  test(`${system} has one`, (t) => {
    t.deepEqual(findPlainUser(passwd, groups), { user: 'nobody', group });
  });
}

for (const [why, passwd, groups] of [
  ['there is no such user', root, 'nogroup:x:65534:\n'],
  ['there is no such group', nobody, 'root:x:0:\nnogroups:x:7:\n'],
  ['nobody is root', 'nobody:x:0:0::/:/bin/sh\n', 'nogroup:x:65534:\n'],
  ['its group is root’s', nobody, 'nogroup:x:0:\n'],
  ['its number is none', 'nobody:x:many:65534::/:\n', 'nogroup:x:65534:\n'],
  ['its number is missing', 'nobody\nnobody:x::1\n', 'nogroup:x:65534:\n'],
  ['the lists are empty', '', ''],
] as const) {
  test(`none where ${why}`, (t) => {
    t.is(findPlainUser(passwd, groups), null);
  });
}
