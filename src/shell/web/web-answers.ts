// Answers each request to the page: who may ask, for what, and with which headers the answer goes out.
import { networkOf } from '../../core/ip/address.ts';
import {
  COOKIE,
  chooseLanguage,
  cookieOf,
  findRequestFault,
  pathOf,
  TOKEN_HEADER,
} from '../../core/web/request.ts';
import { type Session, Sessions } from '../../core/web/sessions.ts';
import { Tries } from '../../core/web/tries.ts';
import type { Log } from '../system/log.ts';
import type { System, WebAnswer, WebRequest } from '../system/system.ts';
import { renderLogin, renderTab } from './web-documents.ts';
import type { WebFiles } from './web-files.ts';
import type { Answer, WebMethods } from './web-methods.ts';

export interface AnswersOptions {
  log: Log;
  system: Pick<System, 'clock' | 'randomBytes'>;
  files: WebFiles;
  methods: WebMethods;
  /** The hash of the password in force; '' while there is none. */
  passwordHash: () => string;
  /** Whether a password is the one of a hash. */
  isPassword: (password: string, hash: string) => Promise<boolean>;
  /** Whether an address belongs to the house. */
  isInHouse: (address: string) => boolean;
}

/** Calls that a browser may send at once. */
const MOST_CALLS = 32;
const WORD_BYTES = 24;

/** On every answer: nothing but this page's own files, nobody's frame, no guess at what a file is. */
const GUARD = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

export class WebAnswers {
  readonly #options: AnswersOptions;
  readonly #sessions: Sessions;
  readonly #tries = new Tries();
  /** Of the password by which the sessions there are were opened. */
  #hash = '';
  /** The judging of the password before: one at a time, since each takes memory. */
  #judging: Promise<unknown> = Promise.resolve();

  constructor(options: AnswersOptions) {
    this.#options = options;
    const { system } = options;
    this.#sessions = new Sessions(() =>
      Buffer.from(system.randomBytes(WORD_BYTES)).toString('base64url'),
    );
  }

  /** Never fails. */
  async answer(request: WebRequest): Promise<WebAnswer> {
    const { status, headers, body } = await this.#answer(request).catch(() =>
      plain(500, 'This could not be done.'),
    );
    return { status, headers: { ...GUARD, ...headers }, body };
  }

  async #answer(request: WebRequest): Promise<WebAnswer> {
    const { method, headers, from, target } = request;
    const { isInHouse, passwordHash } = this.#options;
    if (!isInHouse(from)) return plain(403, 'This page is for the house alone.');
    const fault = findRequestFault(request);
    if (fault) return plain(fault.status, fault.text);
    if (this.#hash !== passwordHash()) {
      this.#hash = passwordHash();
      this.#sessions.clear();
    }
    const session = this.#sessions.find(cookieOf(headers, COOKIE), this.#nowMs());
    const path = pathOf(target);
    if (method !== 'POST') return this.#show(path, session, headers);
    if (path === '/login') return this.#logIn(request);
    // Before all else: who is not logged in learns nothing of what there is.
    if (!session || headers[TOKEN_HEADER] !== session.token) {
      return plain(401, 'Log in to do this.');
    }
    if (path === '/logout') {
      this.#sessions.close(session.id);
      return json(200, { ok: true }, setCookie('', 0));
    }
    return path === '/api' ? this.#call(request.body) : plain(404, 'There is no such page.');
  }

  #show(path: string, session: Session | null, headers: WebRequest['headers']): WebAnswer {
    const { files } = this.#options;
    const asset = files.assets.get(path);
    if (asset) {
      const kept = { 'content-type': asset.type, 'cache-control': 'max-age=31536000, immutable' };
      return { status: 200, headers: kept, body: asset.body };
    }
    const language = chooseLanguage(headers['accept-language'] ?? '', files.languages);
    if (path === '/login') return html(renderLogin(files, language));
    const [first] = files.tabs;
    const tab = files.tabs.find(({ name }) => path === `/${name}`);
    if (!tab && path !== '/') return plain(404, 'There is no such page.');
    if (!session) return redirect('/login');
    return tab
      ? html(renderTab(files, language, tab, session.token))
      : redirect(`/${first?.name ?? ''}`);
  }

  async #logIn({ body, from }: WebRequest): Promise<WebAnswer> {
    const { password } = readTable(body) ?? {};
    if (typeof password !== 'string' || password.length > 1000) return plain(400, 'No password.');
    // A host has as many IPv6 addresses as it likes.
    const who = from.includes(':') ? networkOf(from, 64) : from;
    const waitS = this.#tries.waitS(who, this.#nowMs());
    if (waitS > 0) return json(429, { ok: false, wait: waitS }, { 'retry-after': `${waitS}` });
    this.#tries.count(who, this.#nowMs());
    const isLastFree = this.#tries.waitS(who, this.#nowMs()) > 0;
    const hash = this.#hash;
    const judged = this.#judging.then(() => this.#options.isPassword(password, hash));
    this.#judging = judged.catch(() => {});
    if (!(await judged) || hash !== this.#hash) {
      if (isLastFree) {
        this.#options.log('warning', `the page: too many wrong passwords from ${from}`);
      }
      return json(401, { ok: false, wait: 0 });
    }
    this.#tries.forgive(who);
    return json(200, { ok: true }, setCookie(this.#sessions.open(this.#nowMs()).id));
  }

  async #call(body: string): Promise<WebAnswer> {
    const calls = readJson(body);
    if (!Array.isArray(calls) || calls.length > MOST_CALLS) return plain(400, 'No list of calls.');
    const answers: Answer[] = await Promise.all(
      calls.map((one) => {
        const { object, method, args } = asTable(one) ?? {};
        return this.#options.methods.call(`${object}`, `${method}`, asTable(args) ?? {});
      }),
    );
    return json(200, answers);
  }

  #nowMs(): number {
    return this.#options.system.clock.monotonicMs();
  }
}

function setCookie(id: string, maxAgeS?: number): Record<string, string> {
  const age = maxAgeS === undefined ? '' : `; Max-Age=${maxAgeS}`;
  return { 'set-cookie': `${COOKIE}=${id}; Path=/; Secure; HttpOnly; SameSite=Strict${age}` };
}

function plain(status: number, text: string): WebAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${text}\n` };
}

function html(body: string): WebAnswer {
  return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
}

function redirect(location: string): WebAnswer {
  return { status: 302, headers: { location }, body: '' };
}

function json(status: number, value: unknown, headers: Record<string, string> = {}): WebAnswer {
  const body = JSON.stringify(value, (_key, item) =>
    typeof item === 'bigint' ? Number(item) : item,
  );
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function readTable(text: string): Record<string, unknown> | null {
  return asTable(readJson(text));
}

function asTable(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
