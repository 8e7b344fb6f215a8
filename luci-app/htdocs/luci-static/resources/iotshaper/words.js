// Numbers, times and states in words: the browser's locale for numbers, LuCI's language for words.
'use strict';
'require baseclass';
'require iotshaper.notices as notices';

/** @typedef {import('../../../../../src/core/home/api.ts').Status} Status */
/** @typedef {import('../../../../../src/core/home/api.ts').AuditReport} AuditReport */
/** @typedef {import('../../../../../src/core/home/api.ts').Reason} Reason */

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** @param {number} value @param {number} [most] digits after the point @param {number} [least] */
function number(value, most = 1, least = 0) {
  const key = `${most}/${least}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(undefined, {
      maximumFractionDigits: most,
      minimumFractionDigits: least,
    });
    formats.set(key, format);
  }
  return format.format(value);
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** `10:31`, with the day unless it is today. @param {number} unixSeconds */
function clock(unixSeconds) {
  const date = new Date(unixSeconds * 1000);
  const isToday = date.toDateString() === new Date().toDateString();
  return (isToday ? timeOfDay : dayAndTime).format(date);
}

/** @param {number} kBps */
const rate = (kBps) => _('%s KB/s').format(number(kBps, 2));

/** A number in a sentence of the service. @param {number} value */
const valueText = (value) => number(value, 2);

/**
 * What the service tells, in the page's language; in English where the service says what this page has no words for.
 * @param {Partial<Notice>} notice
 * @param {string} english as the service says it
 */
function told({ code, values = {} }, english) {
  if (code === undefined || !notices.knows({ code, values })) return english;
  return notices.wordsOf({ code, values }, valueText);
}

/** What the service would tell. @param {Notice['code']} code @param {Notice['values']} [values] */
const say = (code, values = {}) => notices.wordsOf({ code, values }, valueText);

/** @param {Status} status */
function shapingSentence(
  {
    rate: { upload_kBps: up, download_kBps: down, source },
    trouble,
    trouble_code: code,
    trouble_values: values,
    reason_code: reason,
  },
  leaks = false,
) {
  if (up === 0)
    return _(
      'Shaping rests, as the schedule says: your provider sees one tunnel, and in it when your devices are used.',
    );
  const stream =
    up === down ? say('shaping', { rate: up }) : say('shaping-two-rates', { up, down });
  // Of a tunnel that carries nothing there is nothing to tell.
  const why = { code, values };
  const isTold = reason === 'unserved-slow' || reason === 'unserved-partly';
  if (trouble !== undefined && !isTold)
    return `${say('unserved', { why: told(why, trouble) })} ${stream}`;
  const claim = leaks
    ? _('But the last audit could still tell from it when your devices are used.')
    : say('activity-hidden');
  if (reason === 'unserved-partly' && trouble !== undefined)
    return `${say('unserved-partly', { why: told(why, trouble) })} ${stream} ${claim}`;
  if (trouble !== undefined)
    return `${say('unserved-slow', { why: told(why, trouble) })} ${say('shaping-slower')} ${claim}`;
  const slower = source.startsWith('schedule')
    ? ` ${_('(The rate is that of the schedule.)')}`
    : '';
  return `${stream} ${claim}${slower}`;
}

const api = {
  number,
  clock,
  rate,
  told,

  /** @param {number} ms */
  milliseconds: (ms) =>
    ms < 1000
      ? _('%s ms').format(number(ms, ms < 10 ? 1 : 0))
      : _('%s s').format(number(ms / 1000)),

  /** Of a second at least. @param {number} seconds */
  duration(seconds) {
    if (seconds < 90) return _('%s s').format(number(Math.max(1, seconds), 0));
    return seconds < 5400
      ? _('%s minutes').format(number(seconds / 60, 0))
      : _('%s hours').format(number(seconds / 3600));
  },

  /** @param {number} gb */
  gigabytes: (gb) => _('%s GB').format(number(gb)),

  /** @param {number} count */
  bytes(count) {
    if (count < 1e6) return _('%s KB').format(number(count / 1e3));
    return count < 1e9
      ? _('%s MB').format(number(count / 1e6))
      : _('%s GB').format(number(count / 1e9));
  },

  /** What stands before the sentence, beside its colour. @param {string} state */
  stateName(state) {
    switch (state) {
      case 'off':
        return _('Off', 'state of the service');
      case 'starting':
        return _('Starting');
      case 'shaping':
        return _('Shaping');
      case 'blocked':
        return _('Blocked');
      case 'troubled':
        return _('Needs attention');
      case 'error':
        return _('Error');
      case 'stopped':
        return _('Stopped');
      default:
        return _('Unknown');
    }
  },

  /** What the banner shows: devices that get no answers are not well, however well they are hidden. @param {Status} status */
  tone: ({ state, trouble }) => (state === 'shaping' && trouble !== undefined ? 'troubled' : state),

  /** @param {string} state */
  stateMark: (state) =>
    ({
      off: '○',
      starting: '…',
      shaping: '✓',
      troubled: '!',
      blocked: '■',
      error: '✕',
      stopped: '✕',
    })[state] ?? '?',

  /** @param {string} state */
  tunnelState(state) {
    switch (state) {
      case 'off':
        return _('off', 'state of the tunnel');
      case 'down':
        return _('down');
      case 'connecting':
        return _('connecting');
      case 'up':
        return _('up');
      case 'reconnecting':
        return _('connecting again');
      default:
        return state;
    }
  },

  /** @param {string} state */
  endpointState(state) {
    switch (state) {
      case 'up':
        return _('answers');
      case 'silent':
        return _('silent');
      default:
        return _('not heard of yet');
    }
  },

  /** What set the rate in force. @param {string} source */
  rateSource(source) {
    if (source === 'main.rate') return _('as set under Privacy and cost');
    if (source === 'section rate') return _('typed on the command line: uci set iotshaper.rate');
    // A section that the page made has a place but no name.
    const [, index] = /^schedule @schedule\[(\d+)\]$/.exec(source) ?? [];
    if (index !== undefined)
      return _('by entry %s of the schedule').format(number(Number(index) + 1, 0));
    if (source.startsWith('schedule'))
      return _('by the schedule %s').format(source.slice('schedule'.length).trim());
    return source;
  },

  /**
   * The one sentence that says how things stand.
   * @param {Status} status
   * @param {AuditReport | null} audit
   */
  sentence(status, audit) {
    switch (status.state) {
      case 'off':
        return _('Off: your provider can see when each of your devices is used.');
      // What becomes of devices meanwhile is for the service to say: it knows whether its rules are in force, and for whom.
      case 'starting':
        return api.reasonTold(status);
      case 'shaping': {
        const leaks = audit?.state === 'done' && audit.verdict === 'leak';
        const names = status.dns
          ? ''
          : ` ${_('The names your devices look up still show: DNS through the tunnel is off.')}`;
        return shapingSentence(status, leaks) + names;
      }
      case 'blocked':
        return `${api.reasonTold(status)} ${_('Since %s.').format(clock(status.since))}`;
      case 'error':
        return status.config.ok
          ? _('Not protected: this router can’t shape at present.')
          : _('Not protected: the configuration can’t be used. What is wrong is listed below.');
    }
  },

  /** Sentences one after the other. @param {readonly Notice[] | undefined} list @param {string} english */
  allTold: (list, english) =>
    list?.every((notice) => notices.knows(notice))
      ? list.map((notice) => told(notice, '')).join(' ')
      : english,

  /** The reason of an answer. @param {Partial<Reason>} answer */
  reasonTold: ({ reason = '', reason_code: code, reason_values: values }) =>
    told({ code, values }, reason),

  /**
   * What the service says of its state, where that is more than the sentence has said.
   * @param {Status} status
   */
  reason: (status) => (status.state === 'error' && status.config.ok ? api.reasonTold(status) : ''),
};

/** @typedef {typeof api} Words */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
