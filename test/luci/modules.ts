// The page's helper modules in Node, without a browser: for what in them is pure.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const roots = ['luci-app/htdocs', 'dist/htdocs'].map((root) => `${root}/luci-static/resources`);

const globals = {
  L: {},
  E: () => ({}),
  _: (text: string) => text,
  baseclass: { extend: (properties: object) => properties },
  rpc: { declare: () => () => Promise.resolve() },
  uci: {},
};

/** The object a module hands to `baseclass.extend`, with what it requires in reach. */
export function loadModule<T>(name: string, others: Record<string, unknown> = {}): T {
  const path = `${name.replaceAll('.', '/')}.js`;
  const source = readFileSync(
    join(roots.find((root) => existsSync(join(root, path)))!, path),
    'utf8',
  );
  const inReach = { ...globals, ...others };
  return new Function(...Object.keys(inReach), source)(...Object.values(inReach)) as T;
}
