// What goes on beside an endpoint's service in a process of its own: its fleet's registry, Prometheus' questions, the API.
import { join } from 'node:path';
import { NO_USAGE, type Usage } from '../../core/endpoint/admission/usage.ts';
import { EndpointFigures, type ServedHome } from '../../core/endpoint/fleet/figures.ts';
import {
  type FleetSettings,
  findListenFault,
  type ListenPlace,
} from '../../core/endpoint/fleet/settings.ts';
import { isSame } from '../../core/equality/equality.ts';
import type { Registry } from '../endpoint/registry.ts';
import { openServedState, servedDirOf } from '../endpoint/state/fleet-settings.ts';
import { countCores } from '../endpoint/state/limit-file.ts';
import { UsageFile, writeElsewhere } from '../endpoint/state/usage-file.ts';
import { askLocalApi } from '../machine/local-api.ts';
import type { Log } from '../system/log.ts';
import type { Cancel, Listener, System, WebAnswer, WebRequest } from '../system/system.ts';
import { ProvisioningApi } from './api.ts';
import type { Database } from './database.ts';
import { serveHttp } from './http-server.ts';
import { FleetKeeper } from './keeper.ts';
import { Metrics } from './metrics.ts';
import { Presence } from './presence.ts';
import { readResources } from './resources.ts';

/** The service is asked so often how its homes are. */
const LOOK_EVERY_MS = 5000;
/** Where nobody came or went the registry is told so seldom. */
const TELL_EVERY_LOOKS = 6;
/** An address that is not there yet, as the tunnel's at first, is tried again so often. */
const LISTEN_EVERY_MS = 2000;

export interface FleetServiceOptions {
  system: System;
  log: Log;
  settings: FleetSettings;
  stateDir: string;
  runDir: string;
  registry: Registry;
  /** Null where homes are kept in files. */
  database: Database | null;
}

/** From {@link FleetService.start} to {@link FleetService.stop}. */
export class FleetService {
  readonly #options: FleetServiceOptions;
  readonly #figures = new EndpointFigures();
  readonly #keeper: FleetKeeper | null;
  readonly #presence: Presence | null;
  readonly #usage: UsageFile;
  readonly #cancels: Cancel[] = [];
  readonly #listeners: Listener[] = [];
  #isServing = false;
  #warnings = 0;
  #looks = 0;
  #isDrained = false;
  #told = '';
  #elsewhere: Usage = NO_USAGE;
  #isTelling = false;
  #isEnded = false;

  constructor(options: FleetServiceOptions) {
    const { system, log, settings, stateDir, database } = options;
    const { endpoint } = settings;
    this.#options = options;
    const dir = servedDirOf(stateDir, settings);
    this.#keeper = database && new FleetKeeper({ system, database, endpoint, dir, log });
    const usageDir = system.processes.environment('STATE_DIRECTORY') ?? dir;
    this.#usage = new UsageFile(system, usageDir, log);
    this.#presence = database && new Presence(database, endpoint, this.#figures);
  }

  /** @throws {Error} where it is to listen where others could come */
  async start(): Promise<void> {
    const { system, settings, stateDir, registry, log } = this.#options;
    const { tunnelNet } = await openServedState(system, stateDir, settings).identity();
    for (const name of ['metrics', 'api'] as const) {
      const place = settings[name];
      const wrong = place && findListenFault(name, place.address, tunnelNet);
      if (wrong !== null) throw new Error(wrong);
    }
    this.#keeper?.start();
    await this.#look();
    this.#cancels.push(system.timers.every(LOOK_EVERY_MS, () => void this.#look()));
    const tokenPath = settings.token ?? join(stateDir, 'api-token');
    const api = new ProvisioningApi({ system, registry, tokenPath, log });
    if (settings.api) await this.#listen('api', settings.api, (request) => api.answer(request));
    if (settings.metrics) await this.#listen('metrics', settings.metrics, this.#answerMetrics());
  }

  async stop(): Promise<void> {
    this.#isEnded = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
    for (const listener of this.#listeners.splice(0)) await listener.close();
    await this.#keeper?.stop();
    await this.#options.database?.close();
  }

  /** Tries until it can. */
  async #listen(
    name: string,
    place: ListenPlace,
    answer: (request: WebRequest) => Promise<WebAnswer>,
    isFirst = true,
  ): Promise<void> {
    const { log, system } = this.#options;
    try {
      const listener = await serveHttp(place, answer);
      if (this.#isEnded) await listener.close();
      else this.#listeners.push(listener);
      log('notice', `${name}: listens at ${place.address} port ${place.port}`);
    } catch (error) {
      if (isFirst) log('warning', `${name}: ${(error as Error).message}; tried again until it can`);
      const again = (): void => void this.#listen(name, place, answer, false);
      if (!this.#isEnded) this.#cancels.push(system.timers.after(LISTEN_EVERY_MS, again));
    }
  }

  #answerMetrics(): (request: WebRequest) => Promise<WebAnswer> {
    const { system, settings } = this.#options;
    const metrics = new Metrics({
      figures: this.#figures,
      endpoint: settings.endpoint,
      isServing: () => this.#isServing,
      warnings: () => this.#warnings,
      isDrained: () => this.#isDrained,
      hasRegistry: () => this.#keeper?.isCurrent ?? null,
      resources: () => readResources(system),
    });
    const plain = { 'content-type': 'text/plain; charset=utf-8' };
    return async ({ method, target }) => {
      if (target.split('?')[0] !== '/metrics' || !['GET', 'HEAD'].includes(method)) {
        return { status: 404, headers: plain, body: 'There is /metrics.\n' };
      }
      const headers = { 'content-type': metrics.contentType };
      return { status: 200, headers, body: await metrics.render() };
    };
  }

  async #look(): Promise<void> {
    const { system, runDir } = this.#options;
    try {
      const answer = await askLocalApi(system, join(runDir, 'api.sock'), { method: 'status' });
      const {
        homes = [],
        warnings = [],
        drained,
      } = answer as {
        homes?: ServedHome[];
        warnings?: unknown[];
        drained?: object | null;
      };
      this.#isDrained = Boolean(drained);
      this.#figures.note(homes, system.clock.unixMs());
      this.#warnings = warnings.length;
      this.#isServing = true;
    } catch {
      this.#isServing = false;
      return;
    }
    const names = this.#figures.homes.map((home) => (home.online ? home.name : ''));
    const news = `${this.#isDrained} ${names.join(' ')}`;
    if (news !== this.#told || this.#looks++ % TELL_EVERY_LOOKS === 0) await this.#tell();
    this.#told = news;
  }

  /** For the service, which looks at the files anew whenever any is another one. */
  async #keepElsewhere(elsewhere: Usage): Promise<void> {
    if (isSame(elsewhere, this.#elsewhere)) return;
    const { system, stateDir, settings } = this.#options;
    await writeElsewhere(system, servedDirOf(stateDir, settings), elsewhere);
    this.#elsewhere = elsewhere;
  }

  /** What can't be told now is told the next time; that the registry is gone is logged where it is listened to. */
  async #tell(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      const cores = await countCores(this.#options.system);
      const told = { drained: this.#isDrained, cores };
      const elsewhere = await this.#presence?.tell(await this.#usage.read(), told);
      if (elsewhere) await this.#keepElsewhere(elsewhere);
    } catch {
      // The next time.
    }
    this.#isTelling = false;
  }
}
