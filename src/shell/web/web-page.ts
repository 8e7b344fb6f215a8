// The page of a home on Debian: listens where the house is, follows its networks, its settings and its password.
import { dirname } from 'node:path';
import type { Config } from '../../core/config/types.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { type HouseSide, isInHouse } from '../../core/web/house-side.ts';
import { ipJson } from '../network/ip-json.ts';
import { readLeases } from '../network/names/leases-reader.ts';
import type { Log } from '../system/log.ts';
import type { Cancel, Listener, System } from '../system/system.ts';
import type { Method } from '../ubus/object.ts';
import { isPassword } from './password-hash.ts';
import { pageUrls, readHouseSide, readIdentity, readPasswordHash } from './place.ts';
import { WebAnswers } from './web-answers.ts';
import { readWebFiles } from './web-files.ts';
import { WebMethods } from './web-methods.ts';
import { type ConfigParts, WebSettings } from './web-settings.ts';

/** Nobody tells of a hotspot that came up, nor of a password. */
const LOOK_EVERY_MS = 3000;
/** A profile has some kilobytes, a configuration not many more. */
const MOST_BYTES = 1 << 20;

export interface WebPageOptions {
  system: System;
  log: Log;
  configPath: string;
  /** Where its files are. */
  folder: string;
  /** The object `iotshaper`. */
  service: Readonly<Record<string, Method>>;
  reload: () => Promise<void>;
  parts: ConfigParts;
}

export class WebPage {
  readonly #options: WebPageOptions;
  readonly #listeners = new Map<string, Listener>();
  #answers: WebAnswers | null = null;
  #config: Config | null = null;
  #configText = '';
  #side: HouseSide = { addresses: [], networks: [] };
  #passwordHash = '';
  #cancel: Cancel | null = null;
  #isLooking = false;
  /** What was last complained of, once. */
  #complaint = '';

  constructor(options: WebPageOptions) {
    this.#options = options;
  }

  /** Looks from now on; never throws: devices are hidden whether there is a page or not. */
  async start(): Promise<void> {
    const { system } = this.#options;
    this.#cancel = system.timers.every(LOOK_EVERY_MS, () => void this.#look());
    await this.#look();
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    await this.#keepOnly(new Set());
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#follow();
      this.#complaint = '';
    } catch (error) {
      this.#complain(`the page can't be served: ${(error as Error).message}`);
    }
    this.#isLooking = false;
  }

  async #follow(): Promise<void> {
    const { system, configPath } = this.#options;
    await this.#readConfig();
    this.#passwordHash = await readPasswordHash(system, dirname(configPath));
    const { main } = this.#config ?? {};
    if (!this.#config || !main?.page || this.#passwordHash === '') {
      await this.#keepOnly(new Set());
      return;
    }
    this.#side = await readHouseSide(system, this.#config);
    const wanted = new Set(pageUrls(this.#side.addresses, main.pagePort));
    await this.#keepOnly(wanted);
    for (const address of this.#side.addresses) await this.#listen(address, main.pagePort);
  }

  /** A configuration that is bad leaves the page where it was, so that it can be mended there. */
  async #readConfig(): Promise<void> {
    const { system, configPath, parts } = this.#options;
    const text = await system.files.readText(configPath).catch(() => '');
    if (text === this.#configText) return;
    this.#configText = text;
    try {
      this.#config = parts.parseConfig(await system.files.readBytes(configPath)).config;
    } catch {
      // The service has said why.
    }
  }

  async #listen(address: string, port: number): Promise<void> {
    const { system, log, configPath } = this.#options;
    const [url = ''] = pageUrls([address], port);
    if (this.#listeners.has(url) || !this.#cancel) return;
    const { certificate, key } = await readIdentity(system, dirname(configPath));
    const answers = await this.#getAnswers();
    const listener = await system.sockets.serveWeb({
      ...{ address, port, certificate, key, maxBodyBytes: MOST_BYTES },
      answer: (request) => answers.answer(request),
    });
    this.#listeners.set(url, listener);
    log('notice', `the page is at ${url}`);
  }

  async #keepOnly(urls: ReadonlySet<string>): Promise<void> {
    for (const [url, listener] of this.#listeners) {
      if (urls.has(url)) continue;
      this.#listeners.delete(url);
      await listener.close();
    }
  }

  async #getAnswers(): Promise<WebAnswers> {
    if (this.#answers) return this.#answers;
    const { system, log, configPath, folder, service, reload, parts } = this.#options;
    const files = await readWebFiles(system, folder);
    const settings = new WebSettings({ system, configPath, parts, reload });
    const isOwn = (netdev: string): boolean =>
      netdev === TUNNEL_NETDEV || netdev === this.#config?.tunnel.interface;
    this.#answers = new WebAnswers({
      ...{ system, log, files },
      methods: new WebMethods({
        ...{ access: files.access, service, settings },
        facts: {
          leases: () => readLeases(system),
          ip: (words) => ipJson(system, words),
          isOwn,
        },
      }),
      passwordHash: () => this.#passwordHash,
      isPassword,
      isInHouse: (address) => isInHouse(address, this.#side),
    });
    return this.#answers;
  }

  #complain(text: string): void {
    if (text === this.#complaint) return;
    this.#complaint = text;
    this.#options.log('warning', text);
  }
}
