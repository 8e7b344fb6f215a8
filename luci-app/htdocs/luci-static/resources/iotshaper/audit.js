// The audit: what it found, in words and in figures, and the next one.
'use strict';
'require baseclass';
'require dom';
'require iotshaper.service as service';
'require iotshaper.words as words';
'require iotshaper.controls as controls';

/** @typedef {import('../../../../../src/core/home/api.ts').AuditReport} AuditReport */

/** @param {AuditReport} report */
function renderVerdict(report) {
  switch (report.state) {
    case 'none':
      return [E('p', {}, [_('No audit has been run since the service started.')])];
    case 'running': {
      const percent = report.progress_percent ?? 0;
      const left = ((report.seconds ?? 0) * (100 - percent)) / 100;
      const label = _('Audit under way: %s %%, %s left').format(
        words.number(percent, 0),
        words.duration(left),
      );
      return [
        E('p', {}, [label]),
        E('progress', { max: 100, value: percent, 'aria-label': label, class: 'iot-progress' }),
      ];
    }
    case 'failed':
      return [
        controls.notice('warning', [
          _('The audit failed.'),
          ' ',
          words.allTold(report.sentence_notices, report.sentence ?? ''),
        ]),
      ];
    case 'done': {
      const { name, meaning } = plainVerdict(report);
      return [
        E('p', {}, [
          E('strong', {}, [name]),
          ' ',
          meaning,
          report.time ? ` (${words.clock(report.time)})` : '',
        ]),
        renderAuditFigures(report),
      ];
    }
  }
}

/** What an audit's end means for a home; how it was found stands among the figures. @param {AuditReport} report */
function plainVerdict({ verdict = 'too short', seconds = 0 }) {
  const span = words.duration(seconds);
  switch (verdict) {
    case 'clean':
      return {
        name: _('✓ No leak found.'),
        meaning: _(
          'From what your provider saw in %s it could not be told when your devices were used.',
        ).format(span),
      };
    case 'leak':
      return {
        name: _('✕ A leak was found.'),
        meaning: _(
          'From what your provider saw in %s it can be told when your devices were used. Choose intervals that vary, or vary more, under Privacy and cost, and run it again.',
        ).format(span),
      };
    default:
      return {
        name: _('? Too short to tell.'),
        meaning: _(
          'In %s nothing was found, but too little happened to be sure. Run a longer one, and use some devices in it.',
        ).format(span),
      };
  }
}

/** @param {AuditReport} report */
function renderAuditFigures({ figures = [], sentence = '', sentence_notices: told }) {
  if (figures.length === 0 && sentence === '') return '';
  return E('details', {}, [
    E('summary', {}, [_('Figures of the audit')]),
    E('p', {}, [words.allTold(told, sentence)]),
    controls.figures(
      figures.map((figure) => {
        const { value, low, high, unit = '', leak } = figure;
        const name = words.told(
          { code: figure.name_code, values: figure.name_values },
          figure.name,
        );
        const range =
          low === undefined || high === undefined
            ? ''
            : ` (${words.number(low, 3)}–${words.number(high, 3)})`;
        const verdict = leak ? ` – ${_('tells activity')}` : '';
        return [name, `${words.number(value, 3)} ${unit}`.trim() + range + verdict];
      }),
    ),
  ]);
}

const api = {
  /** Its verdict, how long the next one takes and its button; `refresh` resolves with the report, null where none is told. */
  create() {
    const verdict = E('div', { role: 'status' }, [E('p', {}, [_('Asking the service…')])]);
    const fault = E('div', {});
    const length = controls.selectInput({
      label: _('Length of the audit'),
      value: '600',
      options: [600, 1800, 7200].map((seconds) => ({
        value: String(seconds),
        label: words.duration(seconds),
      })),
    });
    const button = E(
      'button',
      {
        class: 'btn cbi-button cbi-button-action',
        disabled: controls.isReadOnly() || null,
        click: async () => {
          button.disabled = true;
          const answer = await service.audit(Number(length.value));
          if (!answer.ok) controls.showFault(fault, service.explain(answer.cause));
          else controls.showFault(fault, answer.data.started ? '' : words.reasonTold(answer.data));
          await refresh();
        },
      },
      [_('Run an audit')],
    );
    let shown = '';

    async function refresh() {
      const answer = await service.auditResult();
      if (!answer.ok) {
        button.disabled = true;
        shown = '';
        dom.content(verdict, [E('p', {}, ['–'])]);
        return null;
      }
      button.disabled = controls.isReadOnly() || answer.data.state === 'running';
      const text = JSON.stringify(answer.data);
      if (text !== shown) {
        shown = text;
        dom.content(verdict, renderVerdict(answer.data));
      }
      return answer.data;
    }

    const node = controls.section(_('Does it work?'), [
      E('p', {}, [
        _(
          'An audit compares the packets your provider sees with what your devices did meanwhile: can one be told from the other?',
        ),
      ]),
      verdict,
      E('p', { class: 'iot-actions' }, [length, ' ', button]),
      fault,
    ]);
    return { node, refresh };
  },
};

/** @typedef {typeof api} Audit */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
