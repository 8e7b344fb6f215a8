// The fifth tab: when the stream may run slower or rest, and what an observer learns from that.
'use strict';
'require view';
'require dom';
'require uci';
'require iotshaper.options as options';
'require iotshaper.settings as settings';
'require iotshaper.words as words';
'require iotshaper.controls as controls';
'require iotshaper.week as week';

/** @typedef {import('../../iotshaper/week.js').Entry} Entry */

/**
 * One row of the page as a person edits it.
 * @typedef {{ section: string | null, days: string[], start: string, end: string, rate: string }} Draft
 */

/** Dates of a week that began on a Monday, for the names of days in the browser's language. */
const dayNames = (/** @type {'short' | 'long'} */ length) => {
  const format = new Intl.DateTimeFormat(undefined, { weekday: length, timeZone: 'UTC' });
  return week.DAYS.map((_day, index) => format.format(Date.UTC(2024, 0, 1 + index)));
};

/** @returns {Draft[]} */
const readDrafts = () =>
  settings.sections('schedule').map((section) => ({
    section: section['.name'],
    days: section.days === undefined ? [...week.DAYS] : L.toArray(section.days).map(String),
    start: String(section.start ?? ''),
    end: String(section.end ?? ''),
    rate: String(section.rate ?? ''),
  }));

/** The rows that are whole so far. @param {Draft[]} drafts @returns {(Entry & { row: number })[]} */
const entriesOf = (drafts) =>
  drafts.flatMap(({ days, start, end, rate }, row) => {
    const [from, to] = [week.parseTime(start), week.parseTime(end)];
    return from === null || to === null || rate === ''
      ? []
      : [{ days, start: from, end: to, rateKBps: Number(rate), row }];
  });

/** @param {number} rateKBps */
const rateText = (rateKBps) => (rateKBps === 0 ? _('plain tunnel') : words.rate(rateKBps));

/** @param {number} day @param {number} start @param {number} end */
const spanText = (day, start, end) =>
  `${dayNames('short')[day]} ${week.formatTime(start)}–${week.formatTime(end)}`;

/** What an observer learns, in one line for each kind of entry. @param {Entry[]} entries */
function renderObserver(entries) {
  const usual = settings.value('rate');
  const lines = [
    entries.length === 0
      ? _('An observer learns nothing: the stream is the same at all times.')
      : _(
          'An observer learns these times themselves, and so when you expect nothing private to happen.',
        ),
  ];
  if (entries.some(({ rateKBps }) => rateKBps > 0))
    lines.push(
      _(
        'At another rate the stream is steady too: what your devices do stays hidden. It runs at %s otherwise.',
      ).format(words.rate(Number(usual))),
    );
  if (entries.some(({ rateKBps }) => rateKBps === 0))
    lines.push(
      _(
        'At rate 0 an observer sees when your devices are used and how much, though not which or with whom.',
      ),
    );
  return E(
    'ul',
    { class: 'iot-observer' },
    lines.map((line) => E('li', {}, [line])),
  );
}

/** Seven bars of a day each; the words below say the same. @param {(Entry & { row: number })[]} entries */
function renderWeek(entries) {
  const overlaps = week.overlaps(entries);
  const runs = week.runs(entries);
  const percent = (/** @type {number} */ minutes) => `${(minutes / 14.4).toFixed(3)}%`;
  /** @param {string} kind @param {{ start: number, end: number }} span @param {string} title */
  const bar = (kind, { start, end }, title) =>
    E('span', {
      class: kind,
      title,
      style: `left:${percent(start)};width:${percent(end - start)}`,
    });
  const names = dayNames('short');
  return E('div', {}, [
    E(
      'div',
      { class: 'iot-week', 'aria-hidden': 'true' },
      names.map((name, day) =>
        E('div', { class: 'iot-day' }, [
          E('span', { class: 'iot-day-name' }, [name]),
          E('span', { class: 'iot-day-bar' }, [
            ...runs
              .filter((run) => run.day === day)
              .map((run) => {
                const rate = entries[run.key]?.rateKBps ?? 0;
                const kind = rate === 0 ? 'iot-run iot-run-rest' : 'iot-run';
                return bar(kind, run, `${spanText(day, run.start, run.end)}: ${rateText(rate)}`);
              }),
            ...overlaps
              .filter((run) => run.day === day)
              .map((run) => bar('iot-overlap', run, _('Entries meet here'))),
          ]),
        ]),
      ),
    ),
    overlaps.length === 0
      ? ''
      : controls.notice('warning', [
          _('Entries meet at these times; the one further down counts:'),
          E(
            'ul',
            {},
            overlaps.map(({ day, start, end, key }) =>
              E('li', {}, [
                `${spanText(day, start, end)}: ${_('entry %s, %s').format(
                  words.number((entries[key]?.row ?? 0) + 1, 0),
                  rateText(entries[key]?.rateKBps ?? 0),
                )}`,
              ]),
            ),
          ),
        ]),
  ]);
}

/** @param {string} label @param {string} value @param {(value: string) => void} onInput */
function createTimeField(label, value, onInput) {
  const input = E('input', {
    type: 'time',
    class: 'cbi-input-text iot-time',
    value: week.parseTime(value) === null ? '' : week.formatTime(week.parseTime(value) ?? 0),
    required: true,
    disabled: controls.isReadOnly() || null,
    input: () => {
      onInput(input.value);
    },
  });
  return controls.field({ label, control: input });
}

/**
 * @param {Draft} draft
 * @param {number} index
 * @param {{ onChange: () => void, onRemove: () => void }} handlers
 */
function createRow(draft, index, { onChange, onRemove }) {
  const disabled = controls.isReadOnly() || null;
  const long = dayNames('long');
  const days = dayNames('short').map((name, day) => {
    const key = week.DAYS[day] ?? '';
    const input = E('input', {
      type: 'checkbox',
      checked: draft.days.includes(key) || null,
      'aria-label': long[day],
      disabled,
      change: () => {
        const chosen = new Set(draft.days);
        if (input.checked) chosen.add(key);
        else chosen.delete(key);
        draft.days = week.DAYS.filter((each) => chosen.has(each));
        fault.textContent = draft.days.length === 0 ? _('Choose a day at least.') : '';
        onChange();
      },
    });
    return E('label', { class: 'iot-check' }, [input, ' ', name]);
  });
  const fault = E('div', { class: 'iot-fault', role: 'alert' });
  const { label, hint, unit, min = 0, max } = options.schedule.rate;
  const rate = controls.numberField({
    label,
    hint,
    value: draft.rate,
    unit,
    min: 0,
    max,
    required: true,
    onInput: (value) => {
      draft.rate = value;
      const tooSlow = Number(value) > 0 && Number(value) < min;
      rate.input.setCustomValidity(
        tooSlow ? _('0, or at least %s KB/s').format(words.number(min, 2)) : '',
      );
      onChange();
    },
  });
  const title = _('Entry %s').format(words.number(index + 1, 0));
  return E('fieldset', { class: 'iot-entry' }, [
    E('legend', {}, [title]),
    controls.group(options.schedule.days.label, [...days, fault]),
    createTimeField(options.schedule.start.label, draft.start, (value) => {
      draft.start = value;
      onChange();
    }),
    createTimeField(options.schedule.end.label, draft.end, (value) => {
      draft.end = value;
      onChange();
    }),
    rate.node,
    controls.group('', [
      E(
        'button',
        {
          class: 'btn cbi-button cbi-button-remove',
          'aria-label': `${_('Delete')}: ${title}`,
          disabled,
          click: onRemove,
        },
        [_('Delete')],
      ),
    ]),
  ]);
}

/** Changes UCI to what the rows say. @param {Draft[]} drafts */
function stage(drafts) {
  const kept = new Set(drafts.map(({ section }) => section));
  for (const section of settings.sections('schedule'))
    if (!kept.has(section['.name'])) uci.remove(settings.CONFIG, section['.name']);
  for (const { section, days, start, end, rate } of drafts) {
    const name = section ?? uci.add(settings.CONFIG, 'schedule');
    uci.set(settings.CONFIG, name, 'days', days);
    uci.set(settings.CONFIG, name, 'start', start);
    uci.set(settings.CONFIG, name, 'end', end);
    uci.set(settings.CONFIG, name, 'rate', rate);
  }
}

/** @type {Draft[]} */
let drafts = [];
const root = E('div', {});

function renderPage() {
  const picture = E('div', {});
  const observer = E('div', { 'aria-live': 'polite' });
  const rows = E('div', {});

  function update() {
    const entries = entriesOf(drafts);
    dom.content(picture, [renderWeek(entries)]);
    dom.content(observer, [renderObserver(entries)]);
  }
  function list() {
    dom.content(
      rows,
      drafts.map((draft, index) =>
        createRow(draft, index, {
          onChange: update,
          onRemove: () => {
            drafts.splice(index, 1);
            list();
          },
        }),
      ),
    );
    update();
  }
  const add = E(
    'button',
    {
      class: 'btn cbi-button cbi-button-add',
      disabled: controls.isReadOnly() || null,
      click: () => {
        drafts.push({
          section: null,
          days: [...week.DAYS],
          start: '00:00',
          end: '06:00',
          rate: '5',
        });
        list();
        rows.lastElementChild?.querySelector('input')?.focus();
      },
    },
    [_('Add an entry')],
  );
  list();
  return [
    controls.section(_('The week'), [picture]),
    controls.section(_('What an observer learns'), [observer]),
    controls.section(_('Entries'), [rows, E('p', { class: 'iot-actions' }, [add])]),
  ];
}

function redraw() {
  drafts = readDrafts();
  dom.content(root, renderPage());
}

const page = view.extend({
  load: () => settings.load(),

  /** @param {string} problem */
  render(problem) {
    redraw();
    const errors = E('div', {});
    controls.showConfigErrors(errors);
    return controls.page(
      _('Schedule'),
      _('At times when nothing private happens the stream may run slower, which costs less.'),
      [...controls.hindrances(problem), errors, root],
    );
  },

  async handleSave() {
    controls.refuseInvalid(root);
    if (drafts.some(({ days }) => days.length === 0))
      throw new Error(_('Not saved: a field holds a value that can’t be used.'));
    stage(drafts);
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
