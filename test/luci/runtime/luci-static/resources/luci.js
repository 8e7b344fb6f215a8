// A stand-in for LuCI's client side: the calls the pages use and no other, behaving as LuCI's of
// OpenWrt 24.10 do. What it lacks throws and is noted in `missingCalls`, which the tests look at.
// Its widgets and forms are those of page-app/forms.
(() => {
  const env = {};
  const missingCalls = [];
  window.missingCalls = missingCalls;

  /** Reading what is not there is a fault of the page or a gap of this file: both must be seen. */
  function strict(name, target) {
    return new Proxy(target, {
      get(object, property) {
        if (property in object || typeof property === 'symbol' || property === 'then')
          return object[property];
        missingCalls.push(`${name}.${property}`);
        throw new Error(`the stand-in has no ${name}.${property}`);
      },
    });
  }

  // cbi.js: translation and format

  function hashOf(text) {
    const bytes = new TextEncoder().encode(text);
    const pair = (at) => bytes[at] | (bytes[at + 1] << 8);
    const signed = (at) => (bytes[at] << 24) >> 24;
    let hash = bytes.length;
    let at = 0;
    for (; at + 4 <= bytes.length; at += 4) {
      hash = (hash + pair(at)) | 0;
      hash = (hash << 16) ^ ((pair(at + 2) << 11) ^ hash);
      hash = (hash + (hash >>> 11)) | 0;
    }
    const rest = bytes.length & 3;
    if (rest === 3) {
      hash = (hash + pair(at)) | 0;
      hash ^= hash << 16;
      hash ^= signed(at + 2) << 18;
      hash = (hash + (hash >>> 11)) | 0;
    } else if (rest === 2) {
      hash = (hash + pair(at)) | 0;
      hash ^= hash << 11;
      hash = (hash + (hash >>> 17)) | 0;
    } else if (rest === 1) {
      hash = (hash + signed(at)) | 0;
      hash ^= hash << 10;
      hash = (hash + (hash >>> 1)) | 0;
    }
    hash ^= hash << 3;
    hash = (hash + (hash >>> 5)) | 0;
    hash ^= hash << 4;
    hash = (hash + (hash >>> 17)) | 0;
    hash ^= hash << 25;
    hash = (hash + (hash >>> 6)) | 0;
    return (hash >>> 0).toString(16).padStart(8, '0');
  }

  const trim = (text) =>
    String(text)
      .trim()
      .replace(/[ \t\n]+/g, ' ');
  const lookUp = (key) => window.TR?.[hashOf(key)];

  window._ = (text, context) =>
    lookUp(`${context === undefined ? '' : `${trim(context)}\u0001`}${trim(text)}`) || text;

  window.N_ = (count, singular, plural) => {
    const form = Number(count !== 1);
    return lookUp(`${trim(singular)}\u0002${form}`) || (form ? plural : singular);
  };

  String.prototype.format = function format(...values) {
    let next = 0;
    return this.replace(/%(.)/g, (_all, kind) => {
      if (kind === '%') return '%';
      if (kind !== 's') missingCalls.push(`format %${kind}`);
      return next < values.length ? values[next++] : undefined;
    });
  };

  // luci.js: classes, nodes, requests, polling, views

  function extend(Base, properties) {
    const Extended = class extends Base {};
    Object.assign(Extended.prototype, properties);
    return Extended;
  }

  class Class {
    static extend(properties) {
      // biome-ignore lint/complexity/noThisInStatic: whatever class is extended
      return extend(this, properties);
    }
    constructor(...values) {
      this.__init__?.(...values);
    }
  }

  const isNode = (value) => value !== null && typeof value === 'object' && 'nodeType' in value;

  /** The class instance a node belongs to: its own, else that of the nearest node around it. */
  function findInstance(node) {
    for (let at = node; at; at = at.parentNode) if (instances.has(at)) return instances.get(at);
    return null;
  }

  function append(node, children) {
    if (children === null || children === undefined) return;
    if (isNode(children)) {
      node.appendChild(children);
      return;
    }
    if (!Array.isArray(children)) {
      // LuCI would parse it for HTML.
      missingCalls.push(`children that are no array: ${children}`);
      throw new Error('children must be nodes in an array');
    }
    for (const child of children) {
      if (child === null || child === undefined) missingCalls.push(`a child that is ${child}`);
      node.appendChild(isNode(child) ? child : document.createTextNode(`${child}`));
    }
  }

  function create(tag, attributes = {}, children = null) {
    if (!/^[a-z][a-z0-9]*$/.test(tag)) missingCalls.push(`E("${tag}")`);
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined) continue;
      if (typeof value === 'function') node.addEventListener(name, value);
      else if (typeof value === 'object') missingCalls.push(`attribute ${name}`);
      else node.setAttribute(name, value);
    }
    append(node, children);
    return node;
  }
  window.E = create;

  /** Instances of classes by the node that is theirs. */
  const instances = new WeakMap();

  const dom = {
    bindClassInstance(node, instance) {
      instances.set(node, instance);
      return instance;
    },
    content(node, children) {
      while (node.firstChild) node.removeChild(node.firstChild);
      append(node, children);
      return node.lastChild;
    },
  };

  const poll = {
    queue: [],
    tick: 0,
    timer: null,
    add(fn, seconds) {
      this.queue.push({ fn, seconds, idle: true });
      return true;
    },
    start() {
      if (this.timer !== null) return;
      const step = () => {
        for (const entry of this.queue) {
          if (this.tick % entry.seconds !== 0 || !entry.idle) continue;
          entry.idle = false;
          Promise.resolve(entry.fn()).finally(() => {
            entry.idle = true;
          });
        }
        this.tick++;
      };
      this.timer = setInterval(step, 1000);
      step();
    },
    stop() {
      clearInterval(this.timer);
      this.timer = null;
    },
  };

  class RPCError extends Error {
    name = 'RPCError';
  }

  let requestId = 1;
  let batch = [];

  /** Requests of one turn of the event loop go out together, as LuCI's request.js batches them. */
  async function sendBatch() {
    const sent = batch;
    batch = [];
    try {
      const response = await fetch(env.ubuspath, {
        method: 'POST',
        body: JSON.stringify(sent.map(({ message }) => message)),
      });
      if (!response.ok) throw new RPCError(`failed with HTTP error ${response.status}`);
      const replies = await response.json();
      for (const [index, { settle }] of sent.entries()) settle(replies[index]);
    } catch (error) {
      for (const { fail } of sent) fail(error);
    }
  }

  function post(message) {
    return new Promise((settle, fail) => {
      if (batch.length === 0) setTimeout(sendBatch, 0);
      batch.push({ message, settle, fail });
    });
  }

  const typeOf = (value) => Object.prototype.toString.call(value);

  const statusTexts = { 2: 'Invalid argument', 3: 'Method not found', 4: 'Resource not found' };

  const rpc = {
    declare({ object, method, params = [], expect, reject, ...others }) {
      if (Object.keys(others).length > 0) missingCalls.push(`rpc.declare ${Object.keys(others)}`);
      return async (...values) => {
        const args = Object.fromEntries(params.map((name, index) => [name, values[index]]));
        const reply = await post({
          jsonrpc: '2.0',
          id: requestId++,
          method: 'call',
          params: [env.sessionid, object, method, args],
        });
        if (reply.error)
          throw new RPCError(
            `RPC call to ${object}/${method} failed with error ${reply.error.code}: ${reply.error.message}`,
          );
        const [code] = reply.result;
        if (reject && code !== 0)
          throw new RPCError(
            `RPC call to ${object}/${method} failed with ubus code ${code}: ${statusTexts[code] ?? '?'}`,
          );
        let result = reply.result.length > 1 ? reply.result[1] : code;
        for (const [key, fallback] of Object.entries(expect ?? {})) {
          if (result !== null && key !== '') result = result[key];
          if (result === null || result === undefined || typeOf(result) !== typeOf(fallback))
            result = fallback;
        }
        return result;
      };
    },
  };

  // uci.js

  const calls = {
    get: rpc.declare({
      object: 'uci',
      method: 'get',
      params: ['config'],
      expect: { values: {} },
      reject: true,
    }),
    add: rpc.declare({
      object: 'uci',
      method: 'add',
      params: ['config', 'type', 'name', 'values'],
      expect: { section: '' },
      reject: true,
    }),
    set: rpc.declare({
      object: 'uci',
      method: 'set',
      params: ['config', 'section', 'values'],
      reject: true,
    }),
    delete: rpc.declare({
      object: 'uci',
      method: 'delete',
      params: ['config', 'section', 'options'],
      reject: true,
    }),
    changes: rpc.declare({ object: 'uci', method: 'changes', expect: { changes: {} } }),
  };

  /** Config → what was loaded and what was changed since. */
  const configs = new Map();
  let newSections = 0;
  const stateOf = (config) =>
    configs.get(config) ?? { values: {}, creates: {}, changes: {}, deletes: {} };

  const uci = {
    async load(config) {
      if (configs.has(config)) return [];
      const values = await calls.get(config);
      configs.set(config, { values, creates: {}, changes: {}, deletes: {} });
      document.dispatchEvent(new CustomEvent('uci-loaded'));
      return [config];
    },
    unload(config) {
      configs.delete(config);
    },
    sections(config, type) {
      const { values, creates, changes, deletes } = stateOf(config);
      const kept = Object.values(values)
        .filter((section) => deletes[section['.name']] !== true)
        .map((section) => ({ ...section, ...changes[section['.name']] }));
      return [...kept, ...Object.values(creates).map((section) => ({ ...section }))]
        .filter((section) => !type || section['.type'] === type)
        .sort((a, b) => a['.index'] - b['.index']);
    },
    get(config, name, option) {
      const { values, creates, changes, deletes } = stateOf(config);
      if (creates[name]) return option === undefined ? creates[name] : creates[name][option];
      if (deletes[name] === true || !values[name]) return null;
      if (option === undefined) {
        const gone = Object.keys(deletes[name] ?? {});
        const written = Object.entries({ ...values[name], ...changes[name] });
        return Object.fromEntries(written.filter(([option]) => !gone.includes(option)));
      }
      if (deletes[name]?.[option]) return null;
      return changes[name]?.[option] ?? values[name][option];
    },
    set(config, name, option, value) {
      const { values, creates, changes, deletes } = stateOf(config);
      const isEmpty = value === null || value === undefined;
      if (creates[name]) {
        if (isEmpty) delete creates[name][option];
        else creates[name][option] = value;
      } else if (!values[name] || deletes[name] === true) {
        // LuCI says nothing either; a page that does this has lost track of its sections.
        missingCalls.push(`uci.set in section ${name}, which is not there`);
      } else if (isEmpty || value === '') {
        delete changes[name]?.[option];
        if (option in values[name]) deletes[name] = { ...deletes[name], [option]: true };
      } else {
        delete deletes[name]?.[option];
        changes[name] = { ...changes[name], [option]: value };
      }
    },
    unset: (config, name, option) => uci.set(config, name, option, null),
    add(config, type, name) {
      const { creates } = stateOf(config);
      const section = name ?? `new${++newSections}`;
      creates[section] = {
        '.type': type,
        '.name': section,
        '.create': name,
        '.anonymous': name === undefined,
        '.index': 1000 + ++newSections,
      };
      return section;
    },
    remove(config, name) {
      const { values, creates, changes, deletes } = stateOf(config);
      if (creates[name]) delete creates[name];
      else if (values[name]) {
        delete changes[name];
        deletes[name] = true;
      }
    },
    async save() {
      const touched = [];
      const tasks = [];
      for (const [config, { creates, changes, deletes }] of configs) {
        for (const [name, options] of Object.entries(deletes)) {
          const list = options === true ? null : Object.keys(options);
          if (list?.length !== 0) tasks.push(calls.delete(config, name, list));
        }
        for (const { '.type': type, '.create': name, ...section } of Object.values(creates)) {
          const options = Object.entries(section).filter(([option]) => !option.startsWith('.'));
          tasks.push(calls.add(config, type, name, Object.fromEntries(options)));
        }
        for (const [name, values] of Object.entries(changes))
          if (Object.keys(values).length > 0) tasks.push(calls.set(config, name, values));
        touched.push(config);
      }
      await Promise.all(tasks);
      for (const config of touched) {
        uci.unload(config);
        await uci.load(config);
      }
    },
  };

  // ui.js: applying changes, the indicator of what is staged

  async function postForm(action, query) {
    const body = new URLSearchParams(query).toString();
    return fetch(`/cgi-bin/luci/admin/uci/${action}`, { method: 'POST', body });
  }

  function hideModal() {
    document.querySelector('.modal')?.remove();
    document.body.classList.remove('modal-overlay-active');
  }

  function showModal(title, children) {
    hideModal();
    const heading = title === '' ? [] : [create('h4', {}, [title])];
    const dialog = { class: 'modal', role: 'dialog', 'aria-modal': 'true' };
    document.body.append(create('div', dialog, [...heading, ...children]));
    document.body.classList.add('modal-overlay-active');
  }

  const changes = {
    async apply(isChecked) {
      poll.stop();
      showModal('', ['Applying configuration changes…']);
      const query = { sid: env.sessionid, token: env.token };
      const response = await postForm(isChecked ? 'apply_rollback' : 'apply_unchecked', query);
      if (isChecked && response.status === 200) {
        const { token } = await response.json();
        await new Promise((resolve) => setTimeout(resolve, env.apply_holdoff * 1000));
        await postForm('confirm', { token });
      } else if (response.status !== 204) {
        showModal('', [`Apply request failed with status ${response.status}`]);
        return;
      }
      showModal('', ['Configuration changes applied.']);
      document.dispatchEvent(new CustomEvent('uci-applied'));
      setTimeout(() => window.location.reload(), env.apply_display * 1000);
    },
  };

  async function showUnsaved() {
    const staged = Object.values(await calls.changes()).reduce((sum, list) => sum + list.length, 0);
    const text = staged > 0 ? `Unsaved Changes: ${staged}` : '';
    dom.content(
      document.querySelector('#indicators'),
      text === '' ? [] : [create('span', { 'data-indicator': 'uci-changes' }, [text])],
    );
  }

  /** Waits for what a button began; what fails there is nobody's, as in LuCI. */
  const createHandler = (act) => async (event) => {
    const { currentTarget: button } = event;
    button.disabled = true;
    try {
      await act(event);
    } finally {
      button.disabled = false;
    }
  };

  const ui = {
    changes: strict('ui.changes', changes),
    addNotification(title, children, ...kinds) {
      const text = create('div', {}, [
        ...(title === null ? [] : [create('h4', {}, [title])]),
        ...children,
      ]);
      const dismiss = create('button', { class: 'btn', click: () => message.remove() }, [
        _('Dismiss'),
      ]);
      const message = create('div', { class: ['alert-message', ...kinds].join(' ') }, [
        text,
        dismiss,
      ]);
      document.querySelector('#maincontent').prepend(message);
      return message;
    },
    instantiateView: (path) => luci.require(`view.${path.replaceAll('/', '.')}`),
  };

  class View extends Class {
    constructor() {
      super();
      this.show();
    }
    async show() {
      const place = document.querySelector('#view');
      dom.content(place, [create('div', { class: 'spinning' }, ['Loading view…'])]);
      const data = await this.load?.();
      dom.content(place, [await this.render(data)]);
      place.append(this.footer());
      document.body.dataset.ready = 'true';
    }
    async handleSaveApply(event, mode) {
      await this.handleSave(event);
      changes.apply(mode === '0');
    }
    maps() {
      return [...document.querySelectorAll('#maincontent .cbi-map')].map(findInstance);
    }
    handleSave() {
      return Promise.all(this.maps().map((map) => map.save()));
    }
    handleReset() {
      return Promise.all(this.maps().map((map) => map.reset()));
    }
    footer() {
      const maps = this.maps();
      const mayWrite =
        maps.length === 0 ? luci.hasViewPermission() : maps.some((map) => !map.readonly);
      const disabled = mayWrite ? null : true;
      const button = (kind, text, handler) =>
        handler
          ? create(
              'button',
              {
                class: `btn cbi-button cbi-button-${kind}`,
                disabled,
                click: createHandler((event) => handler.call(this, event, '0')),
              },
              [text],
            )
          : '';
      return create('div', { class: 'cbi-page-actions' }, [
        button('apply', _('Save & Apply'), this.handleSave && this.handleSaveApply),
        ' ',
        button('save', _('Save'), this.handleSave),
        ' ',
        button('reset', _('Reset'), this.handleReset),
      ]);
    }
  }

  /** The tabs of the menu, as the theme's menu draws them. */
  async function drawTabs() {
    const { scriptname, requestpath } = env;
    let node = await (await fetch(`${scriptname}/admin/menu`)).json();
    for (const part of requestpath.slice(0, -1)) node = node.children[part];
    const tabs = Object.entries(node.children).sort(([, a], [, b]) => a.order - b.order);
    const items = tabs.map(([name, { title }]) =>
      create('li', { class: name === requestpath.at(-1) ? 'active' : '' }, [
        create('a', { href: [scriptname, ...requestpath.slice(0, -1), name].join('/') }, [
          _(title),
        ]),
      ]),
    );
    const menu = document.querySelector('#tabmenu');
    menu.append(create('ul', { class: 'tabs' }, items));
    menu.style.display = '';
  }

  const builtIn = {
    baseclass: strict('baseclass', { extend: (properties) => extend(Class, properties) }),
    view: strict('view', { extend: (properties) => extend(View, properties) }),
    dom: strict('dom', dom),
    poll: strict('poll', { add: (fn, seconds) => poll.add(fn, seconds) }),
    rpc: strict('rpc', rpc),
    uci: strict('uci', uci),
  };
  const loading = new Map();

  async function compile(name) {
    const url = `${env.resource}/${name.replaceAll('.', '/')}.js`;
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP error ${response.status} while loading ${url}`);
    const source = await response.text();
    const required = [...source.matchAll(/^'require (\S+?)(?: as (\w+))?';$/gm)];
    const values = await Promise.all(required.map(([, dependency]) => luci.require(dependency)));
    const names = required.map(([, dependency, alias]) => alias ?? dependency);
    // Only what was required is in reach, as in LuCI; `ui` of a view is strict, of LuCI itself not.
    const factory = new Function(...names, `${source}\n//# sourceURL=${url}`);
    const instance = new (factory(
      ...values.map((value, index) => (names[index] === 'ui' ? strict('ui', value) : value)),
    ))();
    return name.startsWith('iotshaper.') ? strict(name, instance) : instance;
  }

  const luci = {
    env,
    resource: (...parts) => [env.resource, ...parts].join('/'),
    url: (...parts) => [env.scriptname, ...parts].join('/'),
    hasViewPermission: () => (env.nodespec?.satisfied ? !env.nodespec.readonly : null),
    resolveDefault: (value, fallback) => Promise.resolve(value).catch(() => fallback),
    toArray(value) {
      if (value === null || value === undefined) return [];
      if (Array.isArray(value)) return value;
      if (typeof value === 'object') return [value];
      const text = String(value).trim();
      return text === '' ? [] : text.split(/\s+/);
    },
    require(name) {
      if (name === 'ui') return Promise.resolve(ui);
      if (name === 'menu-bootstrap') return drawTabs();
      if (name in builtIn) return Promise.resolve(builtIn[name]);
      if (!loading.has(name)) loading.set(name, compile(name));
      return loading.get(name);
    },
  };

  /** For the files beside this one. */
  window.luciParts = {
    ...{ Class, create, createHandler, dom, findInstance, hideModal, rpc, showModal, strict, uci },
    ...{ builtIn, ui },
  };

  window.LuCI = function LuCI(settings) {
    Object.assign(env, settings);
    document.addEventListener('DOMContentLoaded', () => poll.start());
    document.addEventListener('uci-loaded', showUnsaved);
    return strict('L', luci);
  };
})();
