// What the page answers: to whoever is not logged in nothing, to others what LuCI's list of rights has.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { COOKIE, TOKEN_HEADER } from '../../src/core/web/request.ts';
import type { WebAnswer, WebRequest } from '../../src/shell/system/system.ts';
import { WebAnswers } from '../../src/shell/web/web-answers.ts';
import { WebMethods } from '../../src/shell/web/web-methods.ts';
import type { WebSettings } from '../../src/shell/web/web-settings.ts';

const access = JSON.parse(
  readFileSync('luci-app/root/usr/share/rpcd/acl.d/luci-app-iotshaper.json', 'utf8'),
);
const host = '10.42.0.1:8443';
const password = 'correct horse';

/** A page with a service that counts its calls. */
function createPage() {
  const called: string[] = [];
  const logged: string[] = [];
  const method = (name: string) => ({
    arguments: {},
    handler: () => {
      called.push(name);
      return { said: name };
    },
  });
  let hash = `hash of ${password}`;
  let nowMs = 0;
  const answers = new WebAnswers({
    log: (level, text) => logged.push(`${level}: ${text}`),
    system: {
      clock: { monotonicMs: () => nowMs, unixMs: () => 0 },
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    },
    files: {
      tabs: [{ name: 'overview', title: 'Overview' }],
      access,
      assets: new Map([['/assets/1/page.js', { type: 'text/javascript', body: 'code' as never }]]),
      addressOf: (name) => `/assets/1/${name}`,
      languages: ['en', 'de'],
    },
    methods: new WebMethods({
      access,
      service: Object.fromEntries(
        ['status', 'audit', 'reload', 'profile_store'].map((name) => [name, method(name)]),
      ),
      settings: { get: async () => ({}), apply: async () => null } as unknown as WebSettings,
      facts: { leases: async () => [], ip: async () => [], isOwn: () => false },
    }),
    passwordHash: () => hash,
    isPassword: async (tried, judge) => judge === `hash of ${tried}`,
    isInHouse: (address) => address.startsWith('10.42.'),
  });
  const ask = (request: Partial<WebRequest>): Promise<WebAnswer> =>
    answers.answer({
      ...{ method: 'GET', target: '/', body: '', from: '10.42.0.9' },
      ...request,
      headers: { host, ...request.headers },
    });
  const post = (target: string, value: unknown, headers: WebRequest['headers'] = {}) =>
    ask({
      ...{ method: 'POST', target, body: JSON.stringify(value) },
      headers: { origin: `https://${host}`, 'content-type': 'application/json', ...headers },
    });
  return {
    ...{ called, logged, ask, post },
    wait: (ms: number) => {
      nowMs += ms;
    },
    change(text: string) {
      hash = `hash of ${text}`;
    },
    async logIn() {
      const { headers } = await post('/login', { password });
      const cookie = headers['set-cookie']!.split(';')[0]!;
      const { body } = await ask({ target: '/overview', headers: { cookie } });
      const [, token = ''] = /name="iotshaper-token" content="([^"]+)"/.exec(`${body}`) ?? [];
      return { cookie, [TOKEN_HEADER]: token };
    },
  };
}

const call = (object: string, method: string) => [{ object, method, args: {} }];

test('without a login each method is 401 and nothing is called', async (t) => {
  const { post, ask, called } = createPage();
  const all = Object.values(access as object).flatMap(({ read, write }) =>
    [read, write].flatMap(({ ubus }) =>
      Object.entries(ubus as Record<string, string[]>).flatMap(([object, names]) =>
        names.map((name) => call(object, name)),
      ),
    ),
  );
  t.true(all.length > 15);
  for (const calls of [...all, call('iotshaper', 'reload'), call('nosuch', 'x')]) {
    t.is((await post('/api', calls)).status, 401);
    t.is((await post('/api', calls, { cookie: `${COOKIE}=guess` })).status, 401);
  }
  t.is((await post('/logout', {})).status, 401);
  t.is((await post('/nosuch', {})).status, 401);
  t.deepEqual(called, []);
  const shown = await ask({ target: '/overview' });
  t.deepEqual([shown.status, shown.headers.location], [302, '/login']);
});

test('a login may call what LuCI’s may, with the word of its own page only', async (t) => {
  const { post, logIn, called } = createPage();
  const headers = await logIn();
  const said = await post('/api', call('iotshaper', 'status'), headers);
  t.is(said.body, '[[0,{"said":"status"}]]');
  t.is((await post('/api', call('iotshaper', 'reload'), headers)).body, '[[6]]');
  t.is((await post('/api', call('session', 'access'), headers)).body, '[[6]]');
  t.is((await post('/api', call('file', 'exec'), headers)).body, '[[3]]');
  const { cookie } = headers;
  t.is((await post('/api', call('iotshaper', 'audit'), { cookie })).status, 401);
  t.is(
    (await post('/api', call('iotshaper', 'audit'), { ...headers, [TOKEN_HEADER]: 'guess' }))
      .status,
    401,
  );
  t.deepEqual(called, ['status']);
});

test('another site, a form, another address are refused whatever they have', async (t) => {
  const { ask, post, logIn, called } = createPage();
  const headers = await logIn();
  const calls = call('iotshaper', 'audit');
  const evil = { ...headers, origin: 'https://evil.example' };
  t.is((await post('/api', calls, evil)).status, 403);
  t.is((await post('/login', { password }, { origin: 'https://evil.example' })).status, 403);
  t.is((await post('/api', calls, { ...headers, 'content-type': 'text/plain' })).status, 415);
  t.is((await ask({ from: '203.0.113.5', headers })).status, 403);
  t.deepEqual(called, []);
});

test('the cookie is out of every script’s and site’s reach, and ends with the login', async (t) => {
  const { post, logIn, ask, change } = createPage();
  const { headers } = await post('/login', { password });
  t.regex(
    headers['set-cookie']!,
    /^__Host-iotshaper=[\w-]{32}; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
  );
  const first = await logIn();
  t.is((await post('/logout', {}, first)).status, 200);
  t.is((await post('/api', call('iotshaper', 'status'), first)).status, 401);
  const second = await logIn();
  change('another password');
  t.is((await ask({ target: '/overview', headers: second })).headers.location, '/login');
  t.is((await post('/login', { password })).status, 401);
  t.is((await post('/login', { password: 'another password' })).status, 200);
});

test('wrong passwords are slowed down, many at once as well', async (t) => {
  const { post, wait, logged } = createPage();
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, n) => post('/login', { password: `wrong ${n}` })),
  );
  const statuses = all.map(({ status }) => status);
  t.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);
  t.is(all[5]!.headers['retry-after'], '30');
  t.is((await post('/login', { password })).status, 429, 'the right one waits, too');
  t.deepEqual(logged, ['warning: the page: too many wrong passwords from 10.42.0.9']);
  wait(30_000);
  t.is((await post('/login', { password })).status, 200);
  for (const bad of [{}, { password: 7 }, [], 'x', { password: 'x'.repeat(2000) }]) {
    t.is((await post('/login', bad)).status, 400);
  }
});

test('there are no files but the page’s own', async (t) => {
  const { ask } = createPage();
  t.is((await ask({ target: '/assets/1/page.js?x' })).body, 'code');
  for (const target of [
    '/assets/1/../../../../etc/shadow',
    '/../etc/shadow',
    '/assets/%2e%2e/%2e%2e/etc/shadow',
    '//etc/shadow',
    '/assets/',
    '/etc/iotshaper/page-password',
    '/constructor',
  ]) {
    t.is((await ask({ target })).status, 404, target);
  }
});

test('every answer forbids what the page does not need', async (t) => {
  const { ask, post } = createPage();
  for (const answer of [await ask({}), await ask({ target: '/x' }), await post('/api', [])]) {
    t.regex(answer.headers['content-security-policy']!, /^default-src 'none'; script-src 'self';/);
    t.notRegex(answer.headers['content-security-policy']!, /unsafe/);
    t.is(answer.headers['x-frame-options'], 'DENY');
    t.is(answer.headers['cache-control'], 'no-store');
  }
});

test('the login is in the browser’s language', async (t) => {
  const { ask } = createPage();
  const { body } = await ask({ target: '/login', headers: { 'accept-language': 'de-DE' } });
  t.regex(`${body}`, /<html lang="de">[\s\S]*words\.de\.js/);
});

test('what is no list of calls is refused', async (t) => {
  const { post, logIn } = createPage();
  const headers = await logIn();
  for (const bad of [{}, null, 7, Array(33).fill({})]) {
    t.is((await post('/api', bad, headers)).status, 400);
  }
  t.is(
    (await post('/api', [null, 'x', { object: '__proto__', method: 'x' }], headers)).body,
    '[[6],[6],[6]]',
  );
});
