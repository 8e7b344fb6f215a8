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
  /** By default they save and reset every map on the page. */
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
  /** Makes a widget be found by its node. */
  bindClassInstance(node: Node, instance: object): unknown;
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

/** A widget of a form: what stands in its node, and whether that may be saved. */
interface Widget {
  node: HTMLElement;
  options: Record<string, unknown>;
  render(): HTMLElement;
  getValue(): unknown;
  setValue(value: unknown): void;
  isValid(): boolean;
  getValidationError(): string;
  /** Judges the value again; true when the answer is another than before. */
  triggerValidation(): boolean;
  /** Events of `target` after which the widget says `widget-change`. */
  setChangeEvents(target: Node, ...events: string[]): void;
}

declare const ui: {
  changes: {
    /** Applies what is staged; `checked` rolls back unless the browser still reaches the router. */
    apply(checked: boolean): void;
  };
  AbstractElement: LuciClass<Widget>;
  /** A message above the page until it is dismissed. A string as title or child is parsed for HTML. */
  addNotification(title: string | null, children: Child[], ...classes: string[]): HTMLElement;
};

/** One of LuCI's classes, which others are made of. Whatever is set on `this` besides is the page's own. */
interface LuciClass<T> {
  // biome-ignore lint/suspicious/noExplicitAny: as the class's own `__init__` has them.
  new (...parameters: any[]): T;
  prototype: T;
  extend<P extends object>(
    // biome-ignore lint/suspicious/noExplicitAny: a class of LuCI's holds whatever it is given.
    properties: P & ThisType<P & T & Record<string, any>>,
  ): LuciClass<P & T>;
}

interface FormMap {
  config: string;
  /** Null before it is drawn. */
  root: HTMLElement | null;
  readonly: boolean | null;
  section<S>(type: LuciClass<S>, ...parameters: string[]): S & FormSection;
  load(): Promise<unknown>;
  /** Rejects with a sentence when a field does not hold what it may. */
  parse(): Promise<unknown>;
  /** Parses and stages everything, then draws it again; says why not unless `silent`. */
  save(callback?: (() => unknown) | null, silent?: boolean): Promise<unknown>;
  reset(): Promise<unknown>;
  render(): Promise<HTMLElement>;
  renderContents(): Promise<HTMLElement>;
  /** Of the page's own. */
  ondraw?: () => void;
}

interface FormSection {
  map: FormMap;
  title: string;
  description: string;
  anonymous: boolean;
  addremove: boolean;
  addbtntitle: string;
  /** Above the form that a row of a grid opens. */
  modaltitle: string;
  option<O>(type: LuciClass<O>, name: string, title?: string, description?: string): FormOption;
  cfgsections(): string[];
  getOption(name: string): FormOption | null;
  /** What is written in the fields of a section, or in one of them. */
  formvalue(section: string): Record<string, Written>;
  formvalue(section: string, option: string): Written;
  load(): Promise<unknown>;
  parse(): Promise<unknown>;
  render(): Promise<HTMLElement>;
  checkDepends(): boolean;
  renderSectionAdd(): HTMLElement;
  renderSectionPlaceholder(): HTMLElement;
  handleAdd(): unknown;
}

interface NamedFormSection extends FormSection {
  renderContents(data: unknown): HTMLElement;
}

interface TypedFormSection extends FormSection {
  renderContents(sections: string[], nodes: Node[]): HTMLElement;
}

interface GridFormSection extends TypedFormSection {
  renderMoreOptionsModal(section: string): Promise<void>;
  /** Called with the form of the dialog before it is drawn. */
  addModalOptions(section: FormSection): unknown;
}

type Written = string | string[] | null | undefined;

interface FormOption {
  option: string;
  title: string;
  map: FormMap;
  default: string | null;
  placeholder: string;
  /** Whether an empty field removes the option; it is refused otherwise. */
  rmempty: boolean;
  /** Whether the option stays when its field is hidden. */
  retain: boolean;
  modalonly: boolean;
  /** What is said against a text, or true. */
  validate: (this: FormOption, section: string, text: string) => true | string;
  onchange: ((event: Event, section: string, value: unknown) => void) | undefined;
  value(key: string, label: string): void;
  depends(option: string, value: string): void;
  load(section: string): Written;
  parse(section: string): Promise<unknown>;
  write(section: string, value: string): unknown;
  remove(section: string): unknown;
  cbid(section: string): string;
  cfgvalue(section: string): Written;
  formvalue(section: string): Written;
  isActive(section: string): boolean;
  isValid(section: string): boolean;
  getValidationError(section: string): string;
  /** Null while it is not drawn. */
  getUIElement(section: string): Widget | null;
  render(): Promise<Node>;
  renderWidget(section: string, index: number, value: Written): HTMLElement;
  section: FormSection;
  /** Of the page's own. */
  field: import('../../src/core/page/fields.ts').Field;
  node: Node;
  /** What a word of a list is called, short and in full. */
  nameOf?: (word: string) => { short: string; long: string };
  describe?: (rateKBps: number) => string;
  follow(): void;
}

declare const form: {
  Map: LuciClass<FormMap>;
  AbstractSection: LuciClass<FormSection>;
  NamedSection: LuciClass<NamedFormSection>;
  TypedSection: LuciClass<TypedFormSection>;
  GridSection: LuciClass<GridFormSection>;
  Value: LuciClass<FormOption>;
  Flag: LuciClass<FormOption>;
  ListValue: LuciClass<FormOption>;
  DynamicList: LuciClass<FormOption>;
  DummyValue: LuciClass<FormOption>;
};

type FormClass = LuciClass<FormOption>;

/** Made on a build, in dist/htdocs. */
declare const core: typeof import('../../src/core/page/page.ts');

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
declare const forms: import('../htdocs/luci-static/resources/iotshaper/forms.js').Forms;
declare const graph: import('../htdocs/luci-static/resources/iotshaper/graph.js').Graph;
declare const audits: import('../htdocs/luci-static/resources/iotshaper/audit.js').Audit;
declare const hosts: import('../htdocs/luci-static/resources/iotshaper/hosts.js').Hosts;
declare const mending: import('../htdocs/luci-static/resources/iotshaper/mending.js').MendingModule;
declare const onOffs: import('../htdocs/luci-static/resources/iotshaper/switch.js').Switch;
declare const makers: import('../htdocs/luci-static/resources/iotshaper/makers.js').Makers;
declare const meaning: import('../htdocs/luci-static/resources/iotshaper/meaning.js').Meaning;
declare const networks: import('../htdocs/luci-static/resources/iotshaper/networks.js').Networks;
declare const rates: import('../htdocs/luci-static/resources/iotshaper/rates.js').Rates;
