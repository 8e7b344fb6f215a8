// The fifth tab: when the stream may run slower or rest, and what an observer learns from that.
'use strict';
'require view';
'require dom';
'require form';
'require uci';
'require iotshaper.core as core';
'require iotshaper.settings as settings';
'require iotshaper.words as words';
'require iotshaper.controls as controls';
'require iotshaper.forms as forms';

/** @typedef {ReturnType<import('../../iotshaper/settings.js').Settings['schedules']>[number]} Schedule */
/** @typedef {Schedule & { entry: number }} Entry its place on the page, from 1 */
/** @typedef {import('../../../../../../src/core/config/week.ts').WeekRun} WeekRun */

const TYPE = core.scheduleSection.type;
const FIELDS = core.fieldsOf(core.scheduleSection);
const DAYS = (FIELDS.find(({ name }) => name === 'days')?.choices ?? []).map(({ value }) => value);

/** What a new entry says until somebody changes it: the small hours of every day. */
const NEW_ENTRY = { days: DAYS, start: '00:00', end: '06:00', rate: '5' };

/** Names of days in the browser's language, by a week that began on a Monday. @param {'short' | 'long'} weekday */
function dayNames(weekday) {
  const format = new Intl.DateTimeFormat(undefined, { weekday, timeZone: 'UTC' });
  return DAYS.map((_day, index) => format.format(Date.UTC(2024, 0, 1 + index)));
}

const [SHORT, LONG] = [dayNames('short'), dayNames('long')];

/** @param {number} rateKBps */
const rateText = (rateKBps) => (rateKBps === 0 ? _('plain tunnel') : words.rate(rateKBps));

/** @param {number} minutes after midnight */
function timeText(minutes) {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours, rest].map((part) => String(part).padStart(2, '0')).join(':');
}

/** @param {WeekRun} run */
const spanText = ({ day, startMinute, endMinute }) =>
  `${SHORT[day]} ${timeText(startMinute)}–${timeText(endMinute)}`;

/** What an observer learns, in one line for each kind of entry. @param {Entry[]} entries */
function renderObserver(entries) {
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
      ).format(words.rate(settings.main().rateKBps ?? 0)),
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

/** A part of a day's bar. @param {string} kind @param {WeekRun} run @param {string} title */
function renderBar(kind, { startMinute, endMinute }, title) {
  const percent = (/** @type {number} */ minutes) =>
    `${((100 * minutes) / core.DAY_MINUTES).toFixed(3)}%`;
  const [left, width] = [startMinute, endMinute - startMinute].map(percent);
  return E('span', { class: kind, title, style: `left:${left};width:${width}` });
}

/** Seven bars of a day each; the words below say the same. @param {Entry[]} entries */
function renderWeek(entries) {
  const runs = core.weekRuns(entries);
  const contested = runs.filter(({ isContested }) => isContested);
  /** @param {WeekRun} run */
  const bars = (run) => {
    const rate = entries[run.index]?.rateKBps ?? 0;
    const kind = rate === 0 ? 'iot-run iot-run-rest' : 'iot-run';
    return [
      renderBar(kind, run, `${spanText(run)}: ${rateText(rate)}`),
      ...(run.isContested ? [renderBar('iot-overlap', run, _('Entries meet here'))] : []),
    ];
  };
  return E('div', {}, [
    E('div', { class: 'iot-week', 'aria-hidden': 'true' }, [
      ...SHORT.map((name, day) =>
        E('div', { class: 'iot-day' }, [
          E('span', { class: 'iot-day-name' }, [name]),
          E('span', { class: 'iot-day-bar' }, runs.filter((run) => run.day === day).flatMap(bars)),
        ]),
      ),
      E('div', { class: 'iot-day' }, [
        E('span', { class: 'iot-day-name' }),
        E(
          'span',
          { class: 'iot-day-hours' },
          [0, 6, 12, 18, 24].map((hour) => E('span', {}, [words.number(hour, 0)])),
        ),
      ]),
    ]),
    contested.length === 0
      ? ''
      : controls.notice('warning', [
          _('Entries meet at these times; the one further down counts:'),
          E(
            'ul',
            {},
            contested.map((run) => {
              const { entry = 0, rateKBps = 0 } = entries[run.index] ?? {};
              const text = _('entry %s, %s').format(words.number(entry, 0), rateText(rateKBps));
              return E('li', {}, [`${spanText(run)}: ${text}`]);
            }),
          ),
        ]),
  ]);
}

/** The entries one below the other, each under its number. */
const Entries = form.TypedSection.extend({
  /** Added once the fields are read: LuCI takes the options of a section without fields away. */
  async handleAdd() {
    let added = '';
    try {
      return await this.map.save(() => {
        added = uci.add(settings.CONFIG, TYPE);
        for (const [option, value] of Object.entries(NEW_ENTRY))
          uci.set(settings.CONFIG, added, option, value);
      });
    } catch (error) {
      if (added !== '') uci.remove(settings.CONFIG, added);
      throw error;
    }
  },

  /** @param {string[]} sections @param {Node[]} nodes */
  renderContents(sections, nodes) {
    const node = form.TypedSection.prototype.renderContents.call(this, sections, nodes);
    for (const [index, box] of node.querySelectorAll('.cbi-section-node').entries()) {
      const title = _('Entry %s').format(words.number(index + 1, 0));
      box.setAttribute('role', 'group');
      box.setAttribute('aria-label', title);
      const head = box.previousElementSibling;
      head?.querySelector('button')?.setAttribute('aria-label', `${_('Delete')}: ${title}`);
      head?.classList.add('iot-entry');
      head?.prepend(E('h4', {}, [title]));
    }
    return node;
  },

  renderSectionPlaceholder: () =>
    E('p', {}, [_('There is no entry: the rate is the same at all times.')]),
});

/** The form of the entries, drawn, and what is drawn of them. */
async function drawForm() {
  const picture = E('div', {});
  const observer = E('div', { 'aria-live': 'polite' });
  const map = forms.createMap();
  const section = map.section(Entries, TYPE, _('Entries'));
  section.anonymous = true;
  section.addremove = true;
  section.addbtntitle = _('Add an entry');
  for (const field of FIELDS) {
    const option = forms.addField(section, field);
    if (field.name === 'days')
      option.nameOf = (/** @type {string} */ day) => ({
        short: SHORT[DAYS.indexOf(day)],
        long: LONG[DAYS.indexOf(day)],
      });
  }

  function update() {
    const entries = section.cfgsections().flatMap((id, index) => {
      const texts = section.formvalue(id);
      const whole = L.toArray(texts.days).length > 0 ? settings.wholeSchedule(texts) : null;
      return whole ? [{ ...whole, entry: index + 1 }] : [];
    });
    dom.content(picture, [renderWeek(entries)]);
    dom.content(observer, [renderObserver(entries)]);
  }

  map.ondraw = update;
  const node = await map.render();
  for (const kind of ['input', 'widget-change']) node.addEventListener(kind, update);
  return [
    controls.section(_('The week'), [picture]),
    controls.section(_('What an observer learns'), [observer]),
    node,
  ];
}

const page = view.extend({
  load: () => settings.load(),

  /** @param {string} problem */
  async render(problem) {
    const errors = E('div', {});
    controls.showConfigErrors(errors);
    return controls.page(
      _('Schedule'),
      _('At times when nothing private happens the stream may run slower, which costs less.'),
      [...controls.hindrances(problem), errors, ...(problem ? [] : await drawForm())],
    );
  },
});

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return page;
