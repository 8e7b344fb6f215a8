// The first tab: whether the home is protected, said in words, then drawn, then in figures.
'use strict';
'require view';
'require dom';
'require poll';
'require iotshaper.service as service';
'require iotshaper.settings as settings';
'require iotshaper.words as words';
'require iotshaper.controls as controls';
'require iotshaper.graph as graph';
'require iotshaper.mending as mending';
'require iotshaper.audit as audits';
'require iotshaper.switch as onOffs';

/** @typedef {import('../../../../../../src/core/home/api.ts').Status} Status */

const POLL_SECONDS = 3;

/** The sentence, its mark and its colour. */
function createBanner() {
  const mark = E('span', { class: 'iot-mark', 'aria-hidden': 'true' }, ['…']);
  const name = E('strong', {}, [_('Unknown')]);
  const sentence = E('p', { class: 'iot-sentence' }, [_('Asking the service…')]);
  const reason = E('p', { class: 'iot-reason' });
  const mend = E('div', {});
  let mendable = '';
  const node = E('div', { class: 'iot-banner', 'data-state': 'unknown', role: 'status' }, [
    E('div', { class: 'iot-state' }, [mark, ' ', name]),
    E('div', {}, [sentence, reason, mend]),
  ]);
  return {
    node,
    /** @param {string} state @param {string} text @param {string} why @param {string} [code] of what stands in the way */
    show(state, text, why, code = '') {
      if (code !== mendable) dom.content(mend, [mending.button(code)]);
      mendable = code;
      node.dataset.state = state;
      controls.setText(mark, words.stateMark(state));
      controls.setText(name, words.stateName(state));
      controls.setText(sentence, text);
      controls.setText(reason, why);
    },
  };
}

/** The way from nothing to protected, with the next step named; nothing once all is done. @param {Status} status */
function renderPath({ state, tunnel }) {
  const chosen = settings.hasDevices();
  const steps = [
    {
      isDone: tunnel.remote !== '',
      name: _('Tunnel'),
      view: 'tunnel',
      what: _('give the file that your endpoint made for this home'),
    },
    {
      isDone: chosen,
      name: _('Devices'),
      view: 'devices',
      what: _('choose what is to be protected'),
    },
    {
      isDone: state !== 'off',
      name: _('On', 'last step of the setup'),
      view: '',
      what: _('switch shaping on above'),
    },
  ];
  const next = steps.find(({ isDone }) => !isDone);
  if (next === undefined) return [];
  return [
    E('p', { class: 'iot-next' }, [
      E('strong', {}, [_('Next step:'), ' ']),
      next.view === ''
        ? next.what
        : E('a', { href: L.url('admin/services/iotshaper', next.view) }, [
            `${next.name}: ${next.what}`,
          ]),
    ]),
    E(
      'ol',
      { class: 'iot-path' },
      steps.map((step) =>
        E('li', step === next ? { 'aria-current': 'step' } : {}, [
          step.isDone ? `✓ ${step.name}` : step.name,
        ]),
      ),
    ),
  ];
}

/**
 * @param {Status} status
 * @returns {{ text: string, code?: string }[]}
 */
function listWarnings({ config, devices, upload, download, state }) {
  const told = config.warnings.map((text, index) => {
    const notice = config.warning_notices?.[index] ?? {};
    return { text: words.told(notice, text), code: notice.code };
  });
  /** @type {string[]} */
  const warnings = [];
  const bypassing = devices.filter((device) => device.policy === 'bypass').length;
  if (bypassing > 0)
    warnings.push(
      N_(
        bypassing,
        '%s device bypasses shaping: your provider sees when it is used. Change it under Devices.',
        '%s devices bypass shaping: your provider sees when they are used. Change it under Devices.',
      ).format(words.number(bypassing)),
    );
  if (upload.dropped + download.dropped > 0)
    warnings.push(
      _(
        '%s packets of devices were dropped: they had waited too long. A higher rate under Privacy and cost helps.',
      ).format(words.number(upload.dropped + download.dropped)),
    );
  if (state === 'shaping' && upload.target_pps > 0 && upload.pps < 0.9 * upload.target_pps)
    warnings.push(
      _(
        'Fewer packets leave than asked for. Lower the rate or choose larger packets under Privacy and cost.',
      ),
    );
  return [...told, ...warnings.map((text) => ({ text }))];
}

/** @param {Status} status */
function renderFindings(status) {
  const warnings = listWarnings(status).map(({ text, code }) =>
    E('li', {}, [text, ' ', mending.button(code)]),
  );
  const { notes = [], note_notices: said } = status.config;
  const understood = notes.map((text, index) =>
    E('div', {}, [words.told(said?.[index] ?? {}, text)]),
  );
  return [
    ...controls.configErrors(status),
    warnings.length > 0
      ? controls.notice('warning', [E('strong', {}, [_('Needs attention')]), E('ul', {}, warnings)])
      : '',
    understood.length > 0 ? controls.notice('info', understood) : '',
  ];
}

/** @param {Status} status */
function renderFigures(status) {
  const { state, tunnel, endpoint, rate, upload, download, cost, packet_size: size } = status;
  /** @param {Status['upload']} direction */
  const slots = ({ pps, target_pps: target }) =>
    _('%s of %s a second').format(words.number(pps), words.number(target));
  const cap =
    cost.cap_percent === undefined
      ? ''
      : `, ${_('%s %% of your data cap').format(words.number(cost.cap_percent))}`;
  /** @type {[string, string][]} */
  const asked = [
    [
      _('Rate'),
      `${words.rate(rate.upload_kBps)} ↑ ${words.rate(rate.download_kBps)} ↓, ${words.rateSource(rate.source)}`,
    ],
    [_('Packets'), _('%s bytes each').format(words.number(size))],
  ];
  const month = words.gigabytes(cost.gb_per_month) + cap;
  if (state === 'off') return controls.figures([...asked, [_('Traffic a month, once on'), month]]);
  return controls.figures([
    [
      _('Tunnel'),
      tunnel.since && tunnel.state === 'up'
        ? _('up since %s').format(words.clock(tunnel.since))
        : words.tunnelState(tunnel.state),
    ],
    [_('Endpoint'), `${tunnel.remote || '–'} (${words.endpointState(endpoint.state)})`],
    ...asked,
    [_('Packets sent'), slots(upload)],
    [_('Packets received'), slots(download)],
    [_('Longest wait now, upload'), words.milliseconds(upload.queue_ms)],
    [_('Longest wait now, download'), words.milliseconds(download.queue_ms)],
    [_('Dropped'), `${words.number(upload.dropped)} ↑ ${words.number(download.dropped)} ↓`],
    [_('Traffic a month'), month],
  ]);
}

const page = view.extend({
  load: () => settings.load(),

  /** @param {string} problem */
  render(problem) {
    const banner = createBanner();
    const onOff = onOffs.create();
    const path = E('div', { class: 'iot-setup' });
    const findings = E('div', {});
    const picture = graph.create();
    const figures = E('div', {}, [E('p', {}, [_('Asking the service…')])]);
    const audit = audits.create();
    let found = '';

    async function refresh() {
      const [answer, history, report] = await Promise.all([
        service.status(),
        service.history(),
        audit.refresh(),
      ]);
      const isStopped = !answer.ok && answer.cause === 'stopped';
      if (answer.ok || isStopped) onOff.noteStopped(isStopped);
      onOff.noteShaping(answer.ok && answer.data.state === 'shaping');
      if (!answer.ok) {
        banner.show(
          isStopped ? 'stopped' : 'unknown',
          isStopped
            ? _(
                'Not protected: the service is stopped. Unless it was interrupted, your devices use the Internet directly, and your provider sees when.',
              )
            : _('Nothing is known of your protection now.'),
          service.explain(answer.cause),
        );
        dom.content(findings, []);
        dom.content(path, []);
        found = '';
        picture.draw([]);
        dom.content(figures, [E('p', {}, ['–'])]);
        return;
      }
      const status = answer.data;
      const sentence = words.sentence(status, report);
      banner.show(words.tone(status), sentence, words.reason(status), status.trouble_code);
      if (history.ok) picture.draw(history.data);
      const { state, tunnel } = status;
      const text = JSON.stringify([status.config, listWarnings(status), state, tunnel.remote]);
      if (text !== found) {
        found = text;
        dom.content(findings, renderFindings(status));
        dom.content(path, renderPath(status));
      }
      dom.content(figures, [renderFigures(status)]);
    }

    refresh();
    poll.add(refresh, POLL_SECONDS);
    return controls.page(
      _('IoT Privacy'),
      _(
        'Hides from your Internet provider when your smart-home devices are used: what leaves your home is one stream that never changes.',
      ),
      [
        ...controls.hindrances(problem),
        banner.node,
        onOff.node,
        path,
        findings,
        controls.section(_('The last five minutes'), [picture.node]),
        controls.section(_('Figures'), [figures]),
        audit.node,
      ],
    );
  },

  handleSave: null,
  handleSaveApply: null,
  handleReset: null,
});

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return page;
