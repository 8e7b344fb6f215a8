// The fourth tab: the way to the endpoint, its profile, and how to make an endpoint.
'use strict';
'require view';
'require dom';
'require poll';
'require iotshaper.core as core';
'require iotshaper.service as service';
'require iotshaper.settings as settings';
'require iotshaper.words as words';
'require iotshaper.controls as controls';
'require iotshaper.forms as forms';

/** @typedef {import('../../../../../../src/core/home/api.ts').Status} Status */
/** @typedef {import('../../../../../../src/core/home/api.ts').ProfileCheck} ProfileCheck */

const POLL_SECONDS = 3;
/** A profile has some 3 KB; what is far larger is another file. */
const MAX_PROFILE_BYTES = 100_000;

const ENDPOINT_LINES = [
  'sudo apt install --no-install-recommends ./iot-shaper-common_*.deb ./iot-shaper-endpoint_*.deb',
  'sudo iotshaper endpoint init --host vps.example.org',
  'sudo iotshaper endpoint add-home home --out home.ovpn',
  'sudo iotshaper endpoint doctor',
];

/** @param {Status} status */
function renderTunnel({ tunnel, endpoint }) {
  return controls.figures([
    [
      _('Tunnel'),
      tunnel.since && tunnel.state === 'up'
        ? _('up since %s').format(words.clock(tunnel.since))
        : words.tunnelState(tunnel.state),
    ],
    [_('Endpoint'), tunnel.remote || _('none yet')],
    [_('State of the endpoint'), words.endpointState(endpoint.state)],
    [_('Version of the endpoint'), endpoint.version || '–'],
    [_('Own address in the tunnel'), tunnel.address ?? '–'],
    [_('Endpoint’s address in the tunnel'), tunnel.peer ?? '–'],
  ]);
}

/**
 * What is wrong with a profile, each fault with its line.
 * @param {ProfileCheck} check
 */
function renderFaults({ errors }) {
  return controls.notice('error', [
    E('strong', {}, [_('This profile is refused; the one before stays.')]),
    E(
      'ul',
      {},
      errors.map(({ line, message, code, values }) =>
        E('li', {}, [
          line > 0 ? `${_('Line %s:').format(words.number(line, 0))} ` : '',
          words.told({ code, values }, message),
        ]),
      ),
    ),
  ]);
}

/** What a stored profile leads to; whether it connects, the state above tells. @param {boolean} tried beside one in use */
function whatFollows(tried) {
  if (tried)
    return _(
      'Stored. The profile in use stays in use until this one was seen to connect to %s; if it does not, the page Overview says why.',
    );
  return settings.main().enabled === true
    ? _('Stored. The tunnel to %s is tried now; above you see whether it connects.')
    : _('Stored. Once you switch shaping on under Overview, the tunnel to %s is tried.');
}

/** A file or pasted text; the service judges it before it replaces the profile in use. */
function createUpload() {
  const disabled = controls.isReadOnly() || null;
  const result = E('div', { role: 'status' });
  const text = E('textarea', {
    class: 'cbi-input-textarea iot-profile',
    rows: 10,
    wrap: 'off',
    spellcheck: 'false',
    autocapitalize: 'none',
    placeholder: 'client\ndev tun\nremote vps.example.org 1194 udp\n…',
    disabled,
  });
  const file = E('input', {
    type: 'file',
    accept: '.ovpn,.conf,text/plain',
    disabled,
    change: async () => {
      const chosen = file.files?.[0];
      if (!chosen) return;
      if (chosen.size > MAX_PROFILE_BYTES) {
        dom.content(result, [
          controls.notice('error', [_('%s is too large for a profile.').format(chosen.name)]),
        ]);
        return;
      }
      text.value = await chosen.text();
      dom.content(result, [E('p', {}, [_('%s is read; store it to use it.').format(chosen.name)])]);
    },
  });

  /**
   * @param {typeof service.checkProfile} call
   * @param {(check: ProfileCheck) => string} praise
   */
  async function submit(call, praise) {
    if (text.value.trim() === '') {
      dom.content(result, [
        controls.notice('error', [_('Choose a file or paste the profile first.')]),
      ]);
      return false;
    }
    for (const button of buttons) button.disabled = true;
    const answer = await call(text.value);
    for (const button of buttons) button.disabled = false;
    if (!answer.ok)
      dom.content(result, [controls.notice('error', [service.explain(answer.cause)])]);
    else if (!answer.data.ok) dom.content(result, [renderFaults(answer.data)]);
    else dom.content(result, [controls.notice('success', [praise(answer.data)])]);
    return answer.ok && answer.data.ok;
  }

  const buttons = [
    E(
      'button',
      {
        class: 'btn cbi-button cbi-button-positive',
        disabled,
        click: async () => {
          const isStored = await submit(service.storeProfile, ({ endpoint = '', tried = false }) =>
            whatFollows(tried).format(endpoint),
          );
          // A key need not stand on the screen any longer.
          if (isStored) text.value = file.value = '';
        },
      },
      [_('Store the profile')],
    ),
    E(
      'button',
      {
        class: 'btn cbi-button',
        disabled,
        click: () =>
          submit(service.checkProfile, ({ endpoint = '' }) =>
            _('This profile is valid; it leads to %s.').format(endpoint),
          ),
      },
      [_('Check only')],
    ),
  ];

  return controls.section(_('Profile'), [
    E('p', {}, [
      _(
        'Give the file that the endpoint made for this home; below you see how to make an endpoint. It holds a key: keep it to yourself.',
      ),
    ]),
    controls.field({ label: _('From a file'), control: file }),
    controls.field({ label: _('Or paste it'), control: text }),
    controls.group('', [buttons[0], ' ', buttons[1]]),
    result,
  ]);
}

/** Where the profile and the tunnel are on the router: right as they are for most. */
function drawForm() {
  const { name, type } = core.tunnelSection;
  const map = forms.createMap();
  const section = map.section(forms.Folded, name, type, _('Advanced'));
  for (const field of core.fieldsOf(core.tunnelSection)) forms.addField(section, field);
  return map.render();
}

const page = view.extend({
  load: () => settings.load(),

  /** @param {string} problem */
  async render(problem) {
    const fault = E('div', {});
    const tunnel = E('div', {}, [E('p', {}, [_('Asking the service…')])]);

    async function refresh() {
      const answer = await service.status();
      controls.showFault(fault, answer.ok ? '' : service.explain(answer.cause));
      dom.content(tunnel, [answer.ok ? renderTunnel(answer.data) : E('p', {}, ['–'])]);
    }

    refresh();
    poll.add(refresh, POLL_SECONDS);
    return controls.page(
      _('Tunnel'),
      _('The stream ends at your endpoint, a small server of your own outside your home.'),
      [
        ...controls.hindrances(problem),
        fault,
        controls.section(_('Connection'), [tunnel]),
        createUpload(),
        controls.section(_('How to make an endpoint'), [
          E('p', {}, [
            _(
              'On any server with Debian 12 or newer and an address of its own, four lines do; the last one says what is in the way, if anything:',
            ),
          ]),
          E('pre', { class: 'iot-code' }, [ENDPOINT_LINES.join('\n')]),
          E('p', {}, [_('Then give home.ovpn above.')]),
        ]),
        problem ? '' : await drawForm(),
      ],
    );
  },
});

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return page;
