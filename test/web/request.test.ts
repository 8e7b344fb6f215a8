// What a request to the page says of itself: hosts, origins, kinds, cookies, paths, languages.
import test from 'ava';
import { accessOf } from '../../src/core/web/access.ts';
import { chooseLanguage, cookieOf, findRequestFault, pathOf } from '../../src/core/web/request.ts';

const host = '192.168.20.1:8443';
const own = { host, origin: `https://${host}`, 'content-type': 'application/json' };

test('a page of the house may look and ask', (t) => {
  t.is(findRequestFault({ method: 'GET', headers: { host } }), null);
  t.is(findRequestFault({ method: 'POST', headers: own }), null);
  for (const name of ['raspberrypi:8443', 'pi.local:8443', '[fd00::1]:8443', 'pi.fritz.box']) {
    t.is(findRequestFault({ method: 'GET', headers: { host: name } }), null, name);
  }
});

for (const [what, method, headers, status] of [
  ['another site’s page', 'POST', { ...own, origin: 'https://evil.example' }, 403],
  ['a page of this machine without TLS', 'POST', { ...own, origin: `http://${host}` }, 403],
  ['a page in a sandbox', 'POST', { ...own, origin: 'null' }, 403],
  ['a request that hides where it comes from', 'POST', { ...own, origin: undefined }, 403],
  ['a form', 'POST', { ...own, 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['text that is JSON', 'POST', { ...own, 'content-type': 'text/plain' }, 415],
  [
    'JSON beside another kind',
    'POST',
    { ...own, 'content-type': 'text/plain, application/json' },
    415,
  ],
  ['PUT', 'PUT', own, 405],
  ['a name of the Internet that leads here', 'GET', { host: 'evil.example:8443' }, 421],
  ['a name that ends like one of the house', 'GET', { host: 'evil.notlocal.example' }, 421],
  ['no name', 'GET', {}, 421],
] as const) {
  test(`${what} is refused`, (t) => {
    const sent = Object.fromEntries(
      Object.entries(headers).filter(([, value]) => value !== undefined),
    ) as Record<string, string>;
    t.is(findRequestFault({ method, headers: sent })?.status, status);
  });
}

test('a cookie is found among others, and none by half its name', (t) => {
  t.is(cookieOf({ cookie: 'a=1; __Host-x=abc=; b=2' }, '__Host-x'), 'abc=');
  t.is(cookieOf({ cookie: 'My__Host-x=1' }, '__Host-x'), '');
  t.is(cookieOf({}, '__Host-x'), '');
});

test('a path is what stands before the query, or nothing', (t) => {
  t.is(pathOf('/overview?x=/login'), '/overview');
  for (const target of ['overview', 'http://evil/', '/%2e%2e/x', '/a b', '/a\0b', '']) {
    t.is(pathOf(target), '', target);
  }
});

test('the language is the browser’s first that there is', (t) => {
  const there = ['en', 'de'] as const;
  t.is(chooseLanguage('de-AT,de;q=0.9,en;q=0.8', there), 'de');
  t.is(chooseLanguage('fr,en;q=0.5,de;q=0.7', there), 'de');
  t.is(chooseLanguage('de;q=0,fr', there), 'en');
  t.is(chooseLanguage('', there), 'en');
});

test('a right is what the list says, for names of ours alone', (t) => {
  const list = {
    page: { read: { ubus: { iotshaper: ['status'] } }, write: { ubus: { iotshaper: ['audit'] } } },
  };
  t.is(accessOf(list, 'iotshaper', 'status'), 'read');
  t.is(accessOf(list, 'iotshaper', 'audit'), 'write');
  t.is(accessOf(list, 'iotshaper', 'reload'), null);
  t.is(accessOf(list, 'constructor', 'name'), null);
});
