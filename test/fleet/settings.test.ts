// What stands in fleet.conf, and where it lets a fleet's servers listen.
import test from 'ava';
import {
  findListenFault,
  parseFleetSettings,
  placeOfRegistry,
} from '../../src/core/endpoint/fleet/settings.ts';

test('a file of settings is read, comments and all', (t) => {
  const text = `# of the fleet
registry postgresql://iotshaper:pa55word@db.example.org/homes?sslmode=verify-full
endpoint vps1

metrics 127.0.0.1:9464
api     [::1]:8464
token /run/secrets/token
copy /srv/copy
`;
  t.deepEqual(parseFleetSettings(text), {
    registry: 'postgresql://iotshaper:pa55word@db.example.org/homes?sslmode=verify-full',
    endpoint: 'vps1',
    copy: '/srv/copy',
    metrics: { address: '127.0.0.1', port: 9464 },
    api: { address: '::1', port: 8464 },
    token: '/run/secrets/token',
  });
  t.like(parseFleetSettings(''), {
    registry: null,
    metrics: null,
    copy: '/var/lib/iotshaper-endpoint/fleet',
  });
});

for (const [text, said] of [
  ['registry mysql://a/b', 'line 1: registry: must be postgresql://USER:PASSWORD@HOST/DATABASE'],
  [
    'registry postgres://u:pa55word@h/d x',
    'line 1: registry: must be postgresql://USER:PASSWORD@HOST/DATABASE',
  ],
  [
    'registry postgres://u:pa55word@h/d',
    'endpoint: is missing; add a line "endpoint NAME", by which the others of the fleet know this one',
  ],
  [
    'endpoint a b',
    'line 1: endpoint: must be 1 to 63 letters, digits, dots, dashes or underscores, got "a b"',
  ],
  [
    '\n\nmetrics 9464',
    'line 3: metrics: must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464, got "9464"',
  ],
  [
    'metrics localhost:9464',
    'line 1: metrics: must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464, got "localhost:9464"',
  ],
  [
    'api ::1:9464',
    'line 1: api: must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464, got "::1:9464"',
  ],
  [
    'api 127.0.0.1:70000',
    'line 1: api: must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464, got "127.0.0.1:70000"',
  ],
  ['copy x', 'line 1: copy: must be a path that begins with /, got "x"'],
  ['endpoint a\nendpoint b', 'line 2: endpoint: stands twice'],
  [
    'metric 127.0.0.1:1',
    'line 1: "metric" is no setting; there are registry, endpoint, copy, metrics, api and token',
  ],
] as const) {
  test(`refused in words, without a password: ${JSON.stringify(text)}`, (t) => {
    const { message } = t.throws(() => parseFleetSettings(text));
    t.is(message, said);
    t.false(message.includes('pa55word'));
  });
}

test('nothing listens where others could come', (t) => {
  for (const address of ['127.0.0.1', '127.8.0.1', '::1', '10.213.0.1']) {
    t.is(findListenFault('metrics', address, '10.213.0'), null, address);
  }
  for (const address of ['0.0.0.0', '::', '192.0.2.7', '10.213.0.2', '2001:db8::1', '10.0.0.1']) {
    t.regex(
      findListenFault('metrics', address, '10.213.0') ?? '',
      /^metrics: must listen on this machine alone \(127\.0\.0\.1 or \[::1\]\) or inside the tunnel \(10\.213\.0\.1\), got "/,
    );
  }
});

test('a registry is named without its secrets', (t) => {
  t.is(
    placeOfRegistry('postgresql://u:p@db.example.org:5433/homes?sslmode=require'),
    'db.example.org:5433/homes',
  );
  t.is(
    placeOfRegistry('postgresql://u:p@localhost/homes?host=/run/postgresql'),
    '/run/postgresql/homes',
  );
  t.is(placeOfRegistry('postgresql://u:p@[::1'), 'PostgreSQL');
});
