// The LuCI calls the pages use, as LuCI of OpenWrt 24.10 has them, narrowed to what is safe.

/**
 * LuCI parses a plain string given as children for HTML; only inside an array does it become a text
 * node. Children are therefore arrays here, always. In 24.10 a null in the array becomes the text
 * "null".
 */
type Child = Node | string | number;
type Children = Child[] | Node;

/** A function becomes an event listener, null leaves the attribute out. */
type Attributes = Record<
  string,
  // biome-ignore lint/suspicious/noExplicitAny: listeners take the event of their own kind.
  string | number | boolean | null | undefined | ((event: any) => unknown)
>;

declare function E<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes?: Attributes,
  children?: Children,
): HTMLElementTagNameMap[K];

/** The translation of a string, with its context where one word means two things. */
declare function _(text: string, context?: string): string;
/** The translation for a number of things. */
declare function N_(count: number, singular: string, plural: string, context?: string): string;

interface String {
  /** printf of cbi.js; `%s` only here, as numbers are rendered in the browser's locale. */
  format(...values: (string | number)[]): string;
}

declare const L: {
  resource(...parts: string[]): string;
  url(...parts: string[]): string;
  /** Null when the page's own dependencies fail, false for a session that may only read. */
  hasViewPermission(): boolean | null;
  resolveDefault<T, D>(value: Promise<T> | T, fallback: D): Promise<T | D>;
  toArray<T>(value: T | T[] | null | undefined): T[];
};

declare const baseclass: {
  /** LuCI calls `__init__` once, when the class is first required. */
  extend<T extends object>(properties: T & ThisType<T>): new () => T;
};

interface View {
  load(): unknown;
  render(data: never): Node | Promise<Node>;
  handleSave: ((event: Event) => Promise<unknown>) | null;
  handleSaveApply: ((event: Event, mode: string) => unknown) | null;
  handleReset: ((event: Event) => unknown) | null;
}

declare const view: {
  extend<T extends Partial<View>>(properties: T & ThisType<T & View>): new () => T;
};

declare const dom: {
  /** Replaces all children. */
  content(node: Node, children: Children): Node | null;
};

declare const poll: {
  /** Calls at once and then every `seconds`, never while an earlier call is under way. */
  add(poll: () => Promise<unknown>, seconds: number): boolean;
};

declare const rpc: {
  /**
   * A call that gives the answer's object; with `reject` it rejects with an `RPCError` for every
   * status but 0, without it only for errors of the transport and of access.
   */
  declare(options: {
    object: string;
    method: string;
    params?: string[];
    expect?: Record<string, unknown>;
    reject?: boolean;
  }): <T>(...values: unknown[]) => Promise<T>;
};

interface UciSection {
  '.name': string;
  '.type': string;
  '.anonymous': boolean;
  '.index': number;
  [option: string]: string | string[] | boolean | number | undefined;
}

declare const uci: {
  load(config: string): Promise<string[]>;
  unload(config: string): void;
  sections(config: string, type?: string): UciSection[];
  get(config: string, section: string): UciSection | null;
  get(config: string, section: string, option: string): string | string[] | null | undefined;
  /** An empty or null value removes the option. */
  set(config: string, section: string, option: string, value: string | string[] | null): void;
  add(config: string, type: string, name?: string): string;
  remove(config: string, section: string): void;
  /** Stages everything changed since loading and loads anew. */
  save(): Promise<unknown>;
};

declare const ui: {
  changes: {
    /** Applies what is staged; `checked` rolls back unless the browser still reaches the router. */
    apply(checked: boolean): void;
  };
};

/** An option as `scripts/options.mjs` gives it to the page. */
interface PageOption {
  type: 'number' | 'boolean' | 'choice' | 'string';
  default: string;
  /** '' where the page has no field of its own for it. */
  label: string;
  hint: string;
  unit: string;
  /** Stands among all such under Advanced. */
  advanced: boolean;
  choices: { value: string; label: string; hint: string }[];
  min?: number;
  max?: number;
  step?: number;
  maxLength?: number;
}

/** Made on a build, in dist/htdocs. */
interface Options {
  trueWords: string[];
  main: Record<'rate' | 'packet_size' | 'mode' | 'data_cap' | 'price_per_gb', PageOption> &
    Record<string, PageOption>;
  device: Record<'name' | 'policy', PageOption>;
  schedule: Record<'days' | 'start' | 'end' | 'rate', PageOption>;
}

declare const options: Options;

type Notice = import('../../src/core/notices/notice.ts').Notice;

/** What the service tells, made on a build as well. */
interface Notices {
  /** Whether it has words for the notice and all within it. */
  knows(notice: Notice): boolean;
  /** In the page's language. */
  wordsOf(notice: Notice, numberText: (value: number) => string): string;
}

declare const notices: Notices;
declare const service: import('../htdocs/luci-static/resources/iotshaper/service.js').Service;
declare const settings: import('../htdocs/luci-static/resources/iotshaper/settings.js').Settings;
declare const words: import('../htdocs/luci-static/resources/iotshaper/words.js').Words;
declare const controls: import('../htdocs/luci-static/resources/iotshaper/controls.js').Controls;
declare const cost: import('../htdocs/luci-static/resources/iotshaper/cost.js').Cost;
declare const graph: import('../htdocs/luci-static/resources/iotshaper/graph.js').Graph;
declare const hosts: import('../htdocs/luci-static/resources/iotshaper/hosts.js').Hosts;
declare const makers: import('../htdocs/luci-static/resources/iotshaper/makers.js').Makers;
declare const week: import('../htdocs/luci-static/resources/iotshaper/week.js').Week;
declare const meaning: import('../htdocs/luci-static/resources/iotshaper/meaning.js').Meaning;
declare const networks: import('../htdocs/luci-static/resources/iotshaper/networks.js').Networks;
