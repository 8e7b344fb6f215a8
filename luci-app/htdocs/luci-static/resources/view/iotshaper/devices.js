// The second tab: which devices are shaped, blocked or left alone, one by one or by network.
'use strict';
'require view';
'require dom';
'require poll';
'require form';
'require uci';
'require iotshaper.core as core';
'require iotshaper.service as service';
'require iotshaper.settings as settings';
'require iotshaper.words as words';
'require iotshaper.controls as controls';
'require iotshaper.forms as forms';
'require iotshaper.hosts as hosts';
'require iotshaper.networks as networks';

/** @typedef {import('../../iotshaper/hosts.js').Host} Host */
/** @typedef {Awaited<ReturnType<import('../../iotshaper/hosts.js').Hosts['load']>>} Router */
/** @typedef {Awaited<ReturnType<import('../../iotshaper/hosts.js').Hosts['loadNetworks']>>} Interfaces */
/** @typedef {Awaited<ReturnType<import('../../iotshaper/service.js').Service['status']>>} Answer */
/** @typedef {import('../../../../../../src/core/home/api.ts').DeviceStatus} DeviceStatus */
/** @typedef {import('../../../../../../src/core/page/fields.ts').Field} Field */

const POLL_SECONDS = 3;
/** Rows shown at first and added by a click: a page of thousands would be slow to lay out. */
const PAGE_ROWS = 30;

const TYPE = core.deviceSection.type;
const FIELDS = core.fieldsOf(core.deviceSection);
/** @param {string} option @returns {Field | undefined} */
const fieldOf = (option) => FIELDS.find(({ name }) => name === option);

/** What may be done with a device, beginning with nothing of its own. */
const policies = () => [
  { value: '', label: _('As the network') },
  ...(fieldOf('policy')?.choices ?? []).map(({ value, label }) => ({
    value,
    label: forms.translate(label),
  })),
];

/** Stages what was chosen for a host; no treatment of its own is no section. @param {Host} host */
function stage(host) {
  if (host.policy === '') {
    if (host.section !== null) uci.remove(settings.CONFIG, host.section);
    host.section = null;
    return;
  }
  host.section ??= addSection(host);
  if (uci.get(settings.CONFIG, host.section, 'policy') !== host.policy)
    uci.set(settings.CONFIG, host.section, 'policy', host.policy);
}

/** A section for a host that had none. @param {Host} host */
function addSection(host) {
  const section = uci.add(settings.CONFIG, TYPE);
  // A name is one line, and not long; what a host calls itself may be anything.
  const name = (host.name || hosts.title(host))
    .replace(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, fieldOf('name')?.maxLength);
  if (name) uci.set(settings.CONFIG, section, 'name', name);
  if (host.mac) uci.set(settings.CONFIG, section, 'mac', host.mac);
  else uci.set(settings.CONFIG, section, 'ip', host.ip);
  return section;
}

/** What a device does now. @param {DeviceStatus | null} seen */
function activityOf(seen) {
  if (!seen) return _('not seen by the service');
  return seen.online
    ? _('online, %s').format(words.rate(seen.kBps))
    : _('quiet, %s so far').format(words.bytes(seen.tx_bytes + seen.rx_bytes));
}

/**
 * @param {Host} host
 * @param {(section: string) => void} onEdit
 */
function createRow(host, onEdit) {
  const activity = E('span', {}, [activityOf(host.seen)]);
  const addresses = [host.mac, ...host.ip].filter((text) => text !== '').join(' ');
  const node = E('tr', { class: 'tr cbi-section-table-row iot-host' }, [
    E('td', { class: 'td', 'data-title': _('Device') }, [
      E('strong', {}, [hosts.title(host)]),
      E('br'),
      E('small', {}, [hosts.makerText(host)]),
    ]),
    E('td', { class: 'td', 'data-title': _('Address') }, [E('small', {}, [addresses])]),
    E('td', { class: 'td', 'data-title': _('Now') }, [activity]),
    E('td', { class: 'td', 'data-title': _('Treatment') }, [
      controls.choice({
        legend: _('Treatment of %s').format(hosts.title(host)),
        options: policies(),
        value: host.policy,
        onChange: (policy) => {
          host.policy = policy;
        },
      }),
      ' ',
      host.section === null
        ? ''
        : E(
            'button',
            {
              class: 'btn cbi-button cbi-button-edit',
              'aria-label': `${_('Edit')}: ${hosts.title(host)}`,
              disabled: controls.isReadOnly() || null,
              click: () => onEdit(host.section ?? ''),
            },
            [_('Edit')],
          ),
    ]),
  ]);
  return {
    node,
    host,
    /** @param {DeviceStatus | null} seen */
    update(seen) {
      host.seen = seen;
      controls.setText(activity, activityOf(seen));
    },
  };
}

/**
 * The table of devices: filtered, a page at a time, updated in place.
 * @param {Host[]} all
 * @param {(section: string) => void} onEdit
 */
function createTable(all, onEdit) {
  /** @type {ReturnType<typeof createRow>[]} */
  let rows = [];
  let shown = PAGE_ROWS;
  let needle = '';
  const body = E('tbody', {});
  const count = E('p', { role: 'status' });
  const more = E(
    'button',
    {
      class: 'btn cbi-button',
      click: () => {
        shown += PAGE_ROWS;
        render();
      },
    },
    [_('Show more')],
  );

  /** @param {Host} host */
  const matches = (host) =>
    [hosts.title(host), host.maker, host.mac, ...host.ip].some((text) =>
      text.toLowerCase().includes(needle),
    );

  function render() {
    const found = needle === '' ? all : all.filter(matches);
    rows = found.slice(0, shown).map((host) => createRow(host, onEdit));
    dom.content(
      body,
      rows.map(({ node }) => node),
    );
    more.hidden = found.length <= shown;
    controls.setText(
      count,
      found.length === 0
        ? _('No device is known here yet.')
        : _('%s of %s devices').format(words.number(rows.length), words.number(all.length)),
    );
  }

  const filter = E('input', {
    type: 'search',
    class: 'cbi-input-text',
    'aria-label': _('Find a device by name, maker or address'),
    placeholder: _('Find a device'),
    input: () => {
      needle = filter.value.trim().toLowerCase();
      shown = PAGE_ROWS;
      render();
    },
  });

  render();
  const head = [_('Device'), _('Address'), _('Now'), _('Treatment')];
  const node = E('div', {}, [
    E('p', {}, [filter]),
    E('table', { class: 'table cbi-section-table' }, [
      E('thead', {}, [
        E(
          'tr',
          { class: 'tr table-titles cbi-section-table-titles' },
          head.map((text) => E('th', { class: 'th', scope: 'col' }, [text])),
        ),
      ]),
      body,
    ]),
    count,
    more,
  ]);

  return {
    node,
    /** @param {readonly DeviceStatus[]} seen */
    update(seen) {
      const byKey = new Map(seen.map((device) => [device.mac || device.ip[0], device]));
      for (const row of rows) row.update(byKey.get(row.host.key) ?? null);
    },
  };
}

/** Every device the page knows of, as a section of a form: chosen in a row, added and edited in a form of its own. */
const Devices = form.GridSection.extend({
  /** @type {Host[]} */
  hosts: [],
  /** @type {ReturnType<typeof createTable> | null} */
  table: null,

  checkDepends: () => false,

  parse() {
    for (const host of this.hosts) stage(host);
    return Promise.resolve();
  },

  /** The choices made in the rows stay, whatever becomes of the form above them. */
  async handleAdd() {
    await this.map.parse();
    return form.GridSection.prototype.handleAdd.call(this);
  },

  /** @param {string} section */
  async edit(section) {
    await this.map.parse();
    return this.renderMoreOptionsModal(section);
  },

  /** @param {FormSection} section */
  addModalOptions(section) {
    forms.tellRefusals(section.map);
  },

  render() {
    const { router, own, answer } = this.facts;
    const seen = answer.ok ? answer.data.devices : [];
    this.hosts = hosts.merge(router, seen, uci.sections(settings.CONFIG, TYPE), own);
    this.table = createTable(this.hosts, (section) => this.edit(section));
    return Promise.resolve(
      E('div', { class: 'cbi-section' }, [
        E('h3', {}, [this.title]),
        this.table.node,
        this.renderSectionAdd(),
      ]),
    );
  },
});

/** A device's fields, with what the table alone does not say of them. @param {FormSection} section */
function addFields(section) {
  for (const field of FIELDS) {
    const option = forms.addField(section, field);
    option.modalonly = true;
    if (field.name === 'mac') judgeAddress(option, field);
  }
}

/** A device has an address, which no other has. @param {FormOption} option @param {Field} field */
function judgeAddress(option, field) {
  const plain = (/** @type {string} */ text) => text.trim().toLowerCase().replaceAll('-', ':');
  option.placeholder = '18:b4:30:00:00:01';
  option.validate = function (section, text) {
    const mac = plain(text);
    const fault = field.findFault(mac);
    if (fault !== null) return words.told(fault, '');
    const isByIp =
      L.toArray(this.section.formvalue(section, 'ip')).length > 0 ||
      this.section.getOption('ip')?.isValid(section) === false;
    if (mac === '' && !isByIp) return _('Give its MAC address or an IP address.');
    const twin = uci
      .sections(settings.CONFIG, TYPE)
      .find((other) => other['.name'] !== section && mac && plain(String(other.mac ?? '')) === mac);
    if (twin) return _('%s is in the list already.').format(String(twin.name ?? mac));
    return true;
  };
  option.write = (/** @type {string} */ section, /** @type {string} */ text) =>
    uci.set(settings.CONFIG, section, 'mac', plain(text));
}

const page = view.extend({
  async load() {
    const [problem, router, interfaces, answer] = await Promise.all([
      settings.load(),
      hosts.load(),
      hosts.loadNetworks(),
      service.status(),
    ]);
    return { problem, router, interfaces, answer };
  },

  /** @param {{ problem: string, router: Router, interfaces: Interfaces, answer: Answer }} data */
  async render({ problem, router, interfaces: { networks: known, own }, answer }) {
    const facts = { router, own, answer };
    const fault = E('div', {});
    const errors = E('div', {});
    let found = '';

    const map = forms.createMap();
    networks.addTo(map, known);
    const devices = map.section(Devices, TYPE, _('Devices'));
    Object.assign(devices, { facts, anonymous: true, addremove: true });
    devices.addbtntitle = _('Add a device');
    devices.modaltitle = _('Device');
    addFields(devices);
    const node = problem ? '' : await map.render();

    /** @param {Answer} now */
    function show(now) {
      controls.showFault(fault, now.ok ? '' : service.explain(now.cause));
      if (!now.ok) return;
      facts.answer = now;
      devices.table?.update(now.data.devices);
      const text = JSON.stringify(now.data.config.errors);
      if (text === found) return;
      found = text;
      dom.content(errors, controls.configErrors(now.data));
    }

    show(answer);
    poll.add(async () => show(await service.status()), POLL_SECONDS);
    return controls.page(
      _('Devices'),
      _(
        'Shape sends a device’s traffic through the tunnel, block keeps it inside your home, bypass leaves it as it is. Changes hold after Save & Apply.',
      ),
      [...controls.hindrances(problem), fault, errors, node],
    );
  },
});

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return page;
