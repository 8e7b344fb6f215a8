// The files of the page as the package brings them, read once; what is not among them is not there.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { AccessList } from '../../core/web/access.ts';
import type { System } from '../system/system.ts';

/** A view's name in its address, and what its tab is called. */
export interface Tab {
  name: string;
  title: string;
}

export interface WebFiles {
  tabs: readonly Tab[];
  access: AccessList;
  /** Scripts and styles by their address, which says their version. */
  assets: ReadonlyMap<string, Asset>;
  /** The address of one of them. */
  addressOf(name: string): string;
  /** English first, which needs no file. */
  languages: readonly [string, ...string[]];
}

export interface Asset {
  type: string;
  body: Uint8Array;
}

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

interface MenuEntry {
  title: string;
  order: number;
  action: { type: string };
}

/** Reads them all. @throws {SystemError} where the package is not whole */
export async function readWebFiles(
  { files }: Pick<System, 'files'>,
  folder: string,
): Promise<WebFiles> {
  const menu = JSON.parse(await files.readText(join(folder, 'menu.json'))) as Record<
    string,
    MenuEntry
  >;
  const access = JSON.parse(await files.readText(join(folder, 'acl.json'))) as AccessList;
  const assets = new Map<string, Asset>();
  const addresses = new Map<string, string>();
  const names = await files.list(folder);
  for (const name of names) {
    const type = TYPES[name.split('.').at(-1)!];
    if (type === undefined) continue;
    const body = await files.readBytes(join(folder, name));
    const version = createHash('sha256').update(body).digest('hex').slice(0, 12);
    const address = `/assets/${version}/${name}`;
    assets.set(address, { type, body });
    addresses.set(name, address);
  }
  const tabs = Object.entries(menu)
    .filter(([, { action }]) => action.type === 'view')
    .sort(([, a], [, b]) => a.order - b.order)
    .map(([path, { title }]) => ({ name: path.split('/').at(-1)!, title }));
  const more = names.flatMap((name) => /^words\.(\w+)\.js$/.exec(name)?.[1] ?? []);
  return {
    ...{ tabs, access, assets },
    languages: ['en', ...more],
    addressOf: (name) => addresses.get(name) ?? '/',
  };
}
