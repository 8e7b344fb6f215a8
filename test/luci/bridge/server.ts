// A router's web server as the page sees it: LuCI's addresses, /ubus, and the files of the page.

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { compileCatalogue, readCatalogue } from '../../../scripts/po2lmo.mjs';
import type { UbusClient } from '../../../src/shell/ubus/client.ts';
import { Acl, type Role } from './acl.ts';
import { JsonRpc } from './json-rpc.ts';
import { menuEntries, menuTree, renderPage } from './page.ts';
import { type RouterFacts, Rpcd } from './rpcd.ts';
import { UciFault, UciSessions } from './uci-sessions.ts';

/** The page as it is written, and what a build adds to it. */
const ownFiles = ['luci-app/htdocs', 'dist/htdocs'];
/** The stand-in, and the forms and widgets that the page of Debian has in the place of LuCI's. */
const standIns = ['test/luci/runtime', 'page-app'];
const contentTypes: Record<string, string> = {
  '.js': 'application/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export interface BridgeOptions {
  /** Holds the real configuration file `iotshaper`. */
  configDirectory: string;
  bus: UbusClient;
  facts: RouterFacts;
  /** Called with the configurations an apply or a rollback has written. */
  onApplied(configs: string[]): Promise<void>;
  /** A checkout of openwrt/luci, whose client side is served instead of the stand-in. */
  luciSource?: string | undefined;
  /** How a session named by cookie is rated; `write` for any other. */
  sessions?: ReadonlyMap<string, Role>;
}

/** Session ids of the three kinds of login. */
export const sessionOf: Record<Role, string> = {
  none: '00000000000000000000000000000001',
  read: '00000000000000000000000000000002',
  write: '00000000000000000000000000000003',
};

export interface Bridge {
  url: string;
  rpcd: Rpcd;
  uci: UciSessions;
  /** JSON-RPC bodies as they came, newest last. */
  requests: string[];
  /** While false, /ubus answers nothing but errors, as a router that is gone. */
  isReachable: boolean;
  close(): Promise<void>;
}

export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { configDirectory, bus, facts, luciSource } = options;
  const acl = new Acl();
  const uci = new UciSessions(configDirectory);
  const rpcd = new Rpcd({ acl, uci, bus, facts });
  const sessions =
    options.sessions ?? new Map(Object.entries(sessionOf).map(([role, id]) => [id, role as Role]));
  const rpc = new JsonRpc(rpcd, acl, sessions);
  const requests: string[] = [];

  const files = luciSource
    ? [
        ...ownFiles,
        join(luciSource, 'modules/luci-base/htdocs'),
        join(luciSource, 'themes/luci-theme-bootstrap/htdocs'),
      ]
    : [...ownFiles, ...standIns];

  async function serveFile(path: string, response: ServerResponse): Promise<void> {
    for (const root of files) {
      try {
        const body = await readFile(join(root, normalize(path)));
        const type = contentTypes[extname(path)] ?? 'application/octet-stream';
        response.writeHead(200, { 'Content-Type': `${type}; charset=UTF-8` }).end(body);
        return;
      } catch {
        // Look in the next root.
      }
    }
    response.writeHead(404).end();
  }

  async function translate(language: string, response: ServerResponse): Promise<void> {
    const catalogue = await readFile(`luci-app/po/${language}/iotshaper.po`, 'utf8').catch(
      () => null,
    );
    const texts =
      catalogue === null
        ? new Map()
        : readCatalogue(compileCatalogue(catalogue) ?? Buffer.alloc(0));
    const entries = [...texts].map(
      ([key, text]) => [key.toString(16).padStart(8, '0'), text] as const,
    );
    response
      .writeHead(200, { 'Content-Type': 'application/javascript; charset=UTF-8' })
      .end(`window.TR=${JSON.stringify(Object.fromEntries(entries))};`);
  }

  /** LuCI's admin/uci: a POST with the session of its form. */
  async function applyUci(action: string, query: URLSearchParams, response: ServerResponse) {
    const session = query.get('sid') ?? sessionOf.write;
    if (sessions.get(session) !== 'write' && action !== 'confirm') {
      response.writeHead(403).end('Forbidden');
      return;
    }
    try {
      if (action === 'confirm') {
        uci.confirm();
        response.writeHead(200, { 'Content-Type': 'text/plain' }).end('OK');
      } else if (action === 'revert') {
        uci.revert(session);
        response.writeHead(200, { 'Content-Type': 'text/plain' }).end('OK');
      } else {
        const configs = uci.apply(session);
        await options.onApplied(configs);
        if (action === 'apply_unchecked') uci.confirm();
        response.writeHead(action === 'apply_unchecked' ? 204 : 200, {
          'Content-Type': 'application/json',
        });
        response.end(action === 'apply_unchecked' ? '' : '{ "token": "rollback" }');
      }
    } catch (error) {
      if (!(error instanceof UciFault)) throw error;
      response.writeHead(204).end();
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://router');
    const cookies = request.headers.cookie ?? '';
    const session = /sysauth_http=(\w+)/.exec(cookies)?.[1] ?? sessionOf.write;
    if (/^\/ubus\b/.test(url.pathname)) {
      const body = await readBody(request);
      if (!bridge.isReachable) {
        response.destroy();
        return;
      }
      requests.push(body);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(await rpc.answer(body));
      return;
    }
    const [, action] = /^\/cgi-bin\/luci\/admin\/uci\/(\w+)$/.exec(url.pathname) ?? [];
    if (action) return applyUci(action, new URLSearchParams(await readBody(request)), response);
    const [, language] = /^\/cgi-bin\/luci\/admin\/translations\/(\w+)$/.exec(url.pathname) ?? [];
    if (language) return translate(language, response);
    if (url.pathname === '/cgi-bin/luci/admin/menu') {
      response
        .writeHead(200, { 'Content-Type': 'application/json' })
        .end(JSON.stringify(menuTree()));
      return;
    }
    const path = url.pathname.replace(/^\/cgi-bin\/luci\//, '');
    if (path in menuEntries()) {
      const role = sessions.get(session) ?? 'none';
      if (!acl.allows(role, 'access-group', 'luci-app-iotshaper', 'read') && role !== 'none') {
        response.writeHead(403).end('Forbidden');
        return;
      }
      const tab = path.split('/').at(-1) ?? '';
      const page = renderPage({
        tab: tab === 'iotshaper' ? 'overview' : tab,
        session,
        isReadOnly: role !== 'write',
        language: /lang=(\w+)/.exec(cookies)?.[1] ?? 'en',
        isDark: /dark=1/.test(cookies),
        isReal: luciSource !== undefined,
      });
      response.writeHead(200, { 'Content-Type': 'text/html; charset=UTF-8' }).end(page);
      return;
    }
    await serveFile(url.pathname, response);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const bridge: Bridge = {
    url: `http://127.0.0.1:${port}/cgi-bin/luci/admin/services/iotshaper`,
    rpcd,
    uci,
    requests,
    isReachable: true,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
  return bridge;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}
