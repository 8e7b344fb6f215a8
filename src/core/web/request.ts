// What a request to the page says of itself, and whether the page's own browser tab can have sent it.

/** With it a browser keeps the cookie to this host, to TLS and to all of its paths. */
export const COOKIE = '__Host-iotshaper';
export const TOKEN_HEADER = 'x-iotshaper-token';

export interface RequestFacts {
  method: string;
  headers: Readonly<Record<string, string>>;
}

/** Names that are never another's on the Internet, whose name servers could lead them here. */
const HOUSE_ENDINGS = ['local', 'lan', 'home', 'home.arpa', 'internal', 'box', 'localdomain'];

/**
 * Why a request is refused whatever it asks for; null where it is not.
 *
 * A page elsewhere can have a browser send requests here: it can't hide where they come from (Origin), nor send JSON
 * without asking first, nor give its own name to this machine (DNS rebinding).
 */
export function findRequestFault({ method, headers }: RequestFacts): Refusal | null {
  const { host = '', origin, 'content-type': type = '' } = headers;
  if (!isOfHouse(host)) {
    return { status: 421, text: 'Ask for this page by the address of this machine.' };
  }
  if (method === 'GET' || method === 'HEAD') return null;
  if (method !== 'POST') return { status: 405, text: 'Only GET and POST are understood.' };
  if (origin !== `https://${host}`) {
    return { status: 403, text: 'This request was sent by a page of another site.' };
  }
  if (!/^application\/json(?:;\s*charset=utf-8)?$/i.test(type)) {
    return { status: 415, text: 'Only JSON is understood.' };
  }
  return null;
}

export interface Refusal {
  status: number;
  text: string;
}

function isOfHouse(host: string): boolean {
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(name) || /^\[[0-9a-f:.]+\]$/.test(name)) return true;
  if (!/^[a-z0-9.-]+$/.test(name)) return false;
  return !name.includes('.') || HOUSE_ENDINGS.some((ending) => name.endsWith(`.${ending}`));
}

/** A cookie's value; '' where there is none. */
export function cookieOf({ cookie = '' }: Readonly<Record<string, string>>, name: string): string {
  for (const part of cookie.split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return '';
}

/** The path asked for, without its query; '' for one that is none. */
export function pathOf(target: string): string {
  return /^\/[\w./-]*(?=\?|$)/.exec(target)?.[0] ?? '';
}

/** The first of the browser's languages that there is, in its own order; the first there is where it names none. */
export function chooseLanguage(accepted: string, there: readonly [string, ...string[]]): string {
  const asked = accepted
    .split(',')
    .map((part) => {
      const [name = '', ...rest] = part.trim().toLowerCase().split(';');
      const weight = rest.map((one) => /^\s*q=([\d.]+)$/.exec(one)?.[1]).find(Boolean);
      return { name: name.split('-')[0]!, weight: Number(weight ?? 1) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  return asked.map(({ name }) => name).find((name) => there.includes(name)) ?? there[0];
}
