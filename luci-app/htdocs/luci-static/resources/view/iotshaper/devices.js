// The second tab: which devices are shaped, blocked or left alone, one by one or by network.
'use strict';
'require view';
'require dom';
'require poll';
'require uci';
'require iotshaper.service as service';
'require iotshaper.options as options';
'require iotshaper.settings as settings';
'require iotshaper.words as words';
'require iotshaper.controls as controls';
'require iotshaper.hosts as hosts';
'require iotshaper.networks as networks';

/** @typedef {import('../../iotshaper/hosts.js').Host} Host */
/** @typedef {Awaited<ReturnType<import('../../iotshaper/hosts.js').Hosts['load']>>} Router */
/** @typedef {Awaited<ReturnType<import('../../iotshaper/hosts.js').Hosts['loadNetworks']>>} Interfaces */
/** @typedef {Awaited<ReturnType<import('../../iotshaper/service.js').Service['status']>>} Answer */
/** @typedef {import('../../../../../../src/core/home/api.ts').DeviceStatus} DeviceStatus */

const POLL_SECONDS = 3;
/** Rows shown at first and added by a click: a page of thousands would be slow to lay out. */
const PAGE_ROWS = 30;

const policies = () => [
  { value: '', label: _('As the network') },
  ...options.device.policy.choices,
];

/**
 * Stages a policy for a host; none removes its section.
 * @param {Host} host
 * @param {string} policy
 */
function choosePolicy(host, policy) {
  host.policy = policy;
  if (policy === '') {
    if (host.section !== null) uci.remove(settings.CONFIG, host.section);
    host.section = null;
    return;
  }
  host.section ??= addSection(host.name || hosts.title(host), host.mac, host.mac ? [] : host.ip);
  uci.set(settings.CONFIG, host.section, 'policy', policy);
}

/** @param {string} name @param {string} mac @param {string[]} ip */
function addSection(name, mac, ip) {
  const section = uci.add(settings.CONFIG, 'device');
  // A name is one line, and not long; what a host calls itself may be anything.
  const label = name
    .replace(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, options.device.name.maxLength);
  if (label) uci.set(settings.CONFIG, section, 'name', label);
  if (mac) uci.set(settings.CONFIG, section, 'mac', mac);
  else uci.set(settings.CONFIG, section, 'ip', ip);
  return section;
}

/** What a device does now. @param {DeviceStatus | null} seen */
function activityOf(seen) {
  if (!seen) return _('not seen by the service');
  return seen.online
    ? _('online, %s').format(words.rate(seen.kBps))
    : _('quiet, %s so far').format(words.bytes(seen.tx_bytes + seen.rx_bytes));
}

/** @param {Host} host */
function createRow(host) {
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
        onChange: (policy) => choosePolicy(host, policy),
      }),
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

/** The table of devices: filtered, a page at a time, updated in place. @param {Host[]} all */
function createTable(all) {
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
    rows = found.slice(0, shown).map(createRow);
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
    /** @param {Host} host */
    add(host) {
      all.unshift(host);
      render();
    },
    /** @param {readonly DeviceStatus[]} seen */
    update(seen) {
      const byKey = new Map(seen.map((device) => [device.mac || device.ip[0], device]));
      for (const row of rows) row.update(byKey.get(row.host.key) ?? null);
    },
  };
}

/** @param {ReturnType<typeof createTable>} table @param {Host[]} known */
function createAddForm(table, known) {
  const name = E('input', {
    type: 'text',
    class: 'cbi-input-text',
    maxlength: options.device.name.maxLength,
  });
  const address = E('input', {
    type: 'text',
    class: 'cbi-input-text',
    placeholder: '18:b4:30:00:00:01',
    autocapitalize: 'none',
    spellcheck: 'false',
  });
  const fault = E('div', { class: 'iot-fault', role: 'alert' });
  let policy = options.device.policy.default;

  function add() {
    const parsed = hosts.parseAddress(address.value);
    if (!parsed) {
      fault.textContent = _(
        '“%s” is no address: write a MAC address such as 18:b4:30:00:00:01, an IP address or a network such as 192.168.1.64/26.',
      ).format(address.value);
      address.focus();
      return;
    }
    const mac = 'mac' in parsed ? parsed.mac : '';
    const ip = 'ip' in parsed ? [parsed.ip] : [];
    const twin = known.find((host) => (mac ? host.mac === mac : host.ip.includes(ip[0] ?? '')));
    if (twin?.section) {
      fault.textContent = _('%s is in the list already.').format(hosts.title(twin));
      return;
    }
    fault.textContent = '';
    const [host] = hosts.merge(
      { hints: {}, leases: {} },
      [],
      [
        {
          '.name': addSection(name.value, mac, ip),
          '.type': 'device',
          '.anonymous': true,
          '.index': 0,
          name: name.value.trim(),
          mac,
          ip,
          policy,
        },
      ],
    );
    if (!host?.section) return;
    uci.set(settings.CONFIG, host.section, 'policy', policy);
    table.add(host);
    name.value = '';
    address.value = '';
    address.focus();
  }

  const disabled = controls.isReadOnly() || null;
  for (const input of [name, address]) input.disabled = controls.isReadOnly();
  return controls.section(_('Add a device'), [
    controls.field({ label: _('Name'), control: name }),
    controls.field({ label: _('MAC or IP address'), control: address, extra: [fault] }),
    controls.group(_('Treatment'), [
      controls.choice({
        legend: _('Treatment'),
        options: policies().slice(1),
        value: policy,
        onChange: (value) => {
          policy = value;
        },
      }),
    ]),
    controls.group('', [
      E('button', { class: 'btn cbi-button cbi-button-add', disabled, click: add }, [_('Add')]),
    ]),
  ]);
}

/** Draws the page anew from what UCI holds by now. */
let redraw = () => {};

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
  render({ problem, router, interfaces: { networks: known, own }, answer }) {
    let now = answer;
    /** @type {ReturnType<typeof createTable>} */
    let table;
    let found = '';
    const fault = E('div', {});
    const errors = E('div', {});
    const root = E('div', {});

    redraw = () => {
      const seen = now.ok ? now.data.devices : [];
      const all = hosts.merge(router, seen, settings.sections('device'), own);
      table = createTable(all);
      controls.showFault(fault, now.ok ? '' : service.explain(now.cause));
      dom.content(root, [
        networks.create(known),
        controls.section(_('Devices'), [table.node]),
        createAddForm(table, all),
      ]);
    };

    async function refresh() {
      now = await service.status();
      controls.showFault(fault, now.ok ? '' : service.explain(now.cause));
      if (!now.ok) return;
      table.update(now.data.devices);
      const text = JSON.stringify(now.data.config.errors);
      if (text === found) return;
      found = text;
      dom.content(errors, controls.configErrors(now.data));
    }

    redraw();
    poll.add(refresh, POLL_SECONDS);
    return controls.page(
      _('Devices'),
      _(
        'Shape sends a device’s traffic through the tunnel, block keeps it inside your home, bypass leaves it as it is. Changes hold after Save & Apply.',
      ),
      [...controls.hindrances(problem), fault, errors, root],
    );
  },

  async handleSave() {
    await settings.save();
    redraw();
  },

  async handleReset() {
    await settings.reload();
    redraw();
  },
});

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return page;
