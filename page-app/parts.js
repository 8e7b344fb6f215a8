// What LuCI gives its pages, as far as these use it, so that the same pages run without LuCI: calls, settings, nodes, tabs, buttons.
import { post, rpc } from './calls.js';
import { Class, create, createHandler, dom, findInstance } from './nodes.js';
import { createUci } from './settings.js';
import { toldOf } from './told.js';
import { format, translate, translateCount } from './words.js';

const _ = translate;
window._ = translate;
window.N_ = translateCount;
window.E = create;
String.prototype.format = function formatted(...values) {
  return format(String(this), values);
};

const settings = createUci((method, args) =>
  rpc.declare({ object: 'uci', method, params: Object.keys(args), reject: true })(
    ...Object.values(args),
  ),
);

const poll = {
  /** Calls at once and then every `seconds`, never while an earlier call is under way, nor unseen. */
  add(fn, seconds) {
    let isIdle = true;
    const call = async () => {
      if (!isIdle || document.hidden) return;
      isIdle = false;
      await Promise.resolve(fn()).catch(() => {});
      isIdle = true;
    };
    setInterval(call, seconds * 1000);
    document.addEventListener('visibilitychange', call);
    return true;
  },
};

function hideModal() {
  document.querySelector('.modal-cover')?.remove();
}

function showModal(title, children) {
  hideModal();
  const heading = title === '' ? [] : [create('h3', {}, [title])];
  const kind = { class: 'modal', role: 'dialog', 'aria-modal': 'true', 'aria-label': title };
  const dialog = create('div', kind, [...heading, ...children]);
  document.body.append(create('div', { class: 'modal-cover' }, [dialog]));
  dialog.querySelector('input, select, button')?.focus();
}

/** Said once the page has come anew. */
const SAID = 'iotshaper-said';
/** What is wrong with settings, drawn by the pages' own part for it. */
let renderErrors = () => [];
let view = null;

const changes = {
  async apply() {
    showModal('', [_('The settings are put in force…')]);
    let verdict;
    try {
      verdict = await settings.apply();
    } catch (error) {
      hideModal();
      ui.addNotification(_('Not saved'), [error.message], 'error');
      return;
    }
    if (verdict.ok) {
      settings.discard();
      sessionStorage.setItem(SAID, _('The settings are in force.'));
      window.location.reload();
      return;
    }
    // Where there is no form nothing is left to be mended there.
    if (verdict.conflict || view.maps().length === 0) settings.discard();
    await view.show();
    hideModal();
    const reason = verdict.conflict
      ? [_('Somebody else has changed the settings meanwhile; they are shown as they are now.')]
      : renderErrors(verdict.errors);
    ui.addNotification(_('Not saved'), reason, 'error').scrollIntoView({ block: 'center' });
  },
};

const ui = {
  changes,
  addNotification(title, children, ...kinds) {
    const text = create('div', {}, [
      ...(title === null ? [] : [create('h4', {}, [title])]),
      ...children,
    ]);
    const dismiss = create('button', { class: 'btn', click: () => message.remove() }, [
      _('Dismiss'),
    ]);
    const message = create('div', { class: ['alert-message', ...kinds].join(' '), role: 'alert' }, [
      text,
      dismiss,
    ]);
    document.querySelector('#said').prepend(message);
    return message;
  },
};

class View extends Class {
  async show() {
    const place = document.querySelector('#view');
    const data = await this.load?.();
    dom.content(place, [await this.render(data)]);
    place.append(this.footer());
    showUnapplied();
    document.body.dataset.ready = 'true';
  }
  maps() {
    return [...document.querySelectorAll('#view .cbi-map')].map(findInstance);
  }
  handleSave() {
    return Promise.all(this.maps().map((map) => map.save()));
  }
  async handleSaveApply(event) {
    await this.handleSave(event);
    await changes.apply();
  }
  handleReset() {
    return Promise.all(this.maps().map((map) => map.reset()));
  }
  footer() {
    const button = (kind, text, handler) =>
      handler
        ? [
            create(
              'button',
              {
                class: `btn cbi-button cbi-button-${kind}`,
                click: createHandler((event) => handler.call(this, event)),
              },
              [text],
            ),
          ]
        : [];
    return create('div', { class: 'cbi-page-actions' }, [
      ...button('apply', _('Save & Apply'), this.handleSave && this.handleSaveApply),
      ...button('reset', _('Reset'), this.handleReset),
    ]);
  }
}

/** What a dialog or an added section has left to be applied. */
function showUnapplied() {
  const bar = create('div', { class: 'alert-message warning' }, [
    create('div', {}, [_('There are changes that are not in force yet: Save & Apply below.')]),
    create(
      'button',
      {
        class: 'btn',
        click: () => {
          settings.discard();
          window.location.reload();
        },
      },
      [_('Discard them')],
    ),
  ]);
  dom.content(document.querySelector('#unapplied'), settings.isChanged() ? [bar] : []);
}

const uci = {
  ...settings.uci,
  async save() {
    await settings.uci.save();
    showUnapplied();
  },
};

window.addEventListener('beforeunload', (event) => {
  if (settings.isChanged()) event.preventDefault();
});

function renderTabs(current) {
  const tabs = JSON.parse(toldOf('tabs')).map(({ name, title }) =>
    create('li', {}, [
      create('a', { href: `/${name}`, 'aria-current': name === current ? 'page' : null }, [
        _(title),
      ]),
    ]),
  );
  const leave = create(
    'button',
    {
      class: 'btn iot-leave',
      click: createHandler(async () => {
        await post('/logout', {});
        window.location.replace('/login');
      }),
    },
    [_('Log out')],
  );
  return create('nav', { class: 'iot-tabs' }, [create('ul', {}, tabs), leave]);
}

/** What a field may not hold, below it. */
function showFault(field, text) {
  const place = field.closest('.add-item') ?? field;
  const next = place.nextElementSibling;
  const shown = next?.classList.contains('cbi-fault') ? next : null;
  if (text === '') shown?.remove();
  else if (shown) shown.textContent = text;
  else place.after(create('div', { class: 'cbi-fault iot-fault', role: 'alert' }, [text]));
}

window.L = {
  resource: () => toldOf('style'),
  url: (...parts) => `/${parts.at(-1)}`,
  hasViewPermission: () => true,
  resolveDefault: (value, fallback) => Promise.resolve(value).catch(() => fallback),
  toArray(value) {
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return value;
    const text = String(value).trim();
    return text === '' ? [] : text.split(/\s+/);
  },
};

/** For the forms, and for the pages as `require` has it in LuCI. */
window.luciParts = {
  ...{ Class, create, createHandler, dom, findInstance, hideModal, showModal, uci, ui },
  rpc: { declare: (call) => (call.object === 'session' ? async () => true : rpc.declare(call)) },
  strict: (_name, part) => part,
  showFault,
  builtIn: {
    baseclass: { extend: (properties) => Class.extend(properties) },
    view: { extend: (properties) => View.extend(properties) },
    ...{ dom, poll, rpc, uci, ui },
  },

  /** Draws the tab that was asked for. @param views by name @param drawErrors what is wrong with settings, as nodes */
  async start(views, drawErrors) {
    renderErrors = drawErrors;
    const current = toldOf('tab');
    document
      .querySelector('#maincontent')
      .append(
        renderTabs(current),
        create('div', { id: 'said' }),
        create('div', { id: 'unapplied' }),
        create('main', { id: 'view' }, [create('p', {}, ['…'])]),
      );
    const said = sessionStorage.getItem(SAID);
    sessionStorage.removeItem(SAID);
    if (said !== null) ui.addNotification(null, [said], 'success');
    view = new views[current]();
    await view.show();
  },
};
