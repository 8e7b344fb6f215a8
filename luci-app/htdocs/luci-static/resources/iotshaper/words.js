// Numbers, times and states in words: the browser's locale for numbers, LuCI's language for words.
'use strict';
'require baseclass';

/** @typedef {import('../../../../../src/core/home/api.ts').Status} Status */
/** @typedef {import('../../../../../src/core/home/api.ts').AuditReport} AuditReport */

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

/** @param {Status} status */
function shapingSentence(
  { rate: { upload_kBps: up, download_kBps: down, source } },
  leaks = false,
) {
  if (up === 0)
    return _(
      'Shaping rests, as the schedule says: your provider sees one tunnel, and in it when your devices are used.',
    );
  const stream =
    up === down
      ? _('Your provider sees one steady stream of %s.').format(rate(up))
      : _('Your provider sees one steady stream: %s up, %s down.').format(rate(up), rate(down));
  const claim = leaks
    ? _('But the last audit could still tell from it when your devices are used.')
    : _("It can't tell when your devices are used.");
  const slower = source.startsWith('schedule')
    ? ` ${_('(The rate is that of the schedule.)')}`
    : '';
  return `${stream} ${claim}${slower}`;
}

const TUNNEL_DOWN = 'the tunnel to the endpoint is down';

// For translators alone: the service's own words, looked up as it says them.
[
  _('the tunnel to the endpoint is down'),
  _('the tunnel to the endpoint is being set up'),
  _('the endpoint has not answered yet'),
  _('the endpoint no longer answers'),
  _('the endpoint stopped sending its stream'),
  _('the endpoint’s stream has only just begun'),
  _('the stream to the endpoint has only just begun'),
  _('the stream to the endpoint stalls'),
  _('packets leave faster than the schedule'),
  _('cover leaves faster than the rate: nothing holds it back'),
  _('the queue that keeps the schedule can’t be read'),
  _('the queue that keeps the schedule was replaced by %s'),
  _('the queue has a class %s that is not ours'),
  _('the queue’s class %s is missing'),
  _('the priorities in the queue’s class %s were changed'),
  _('the rules that guard the tunnel were changed'),
];

/** In the page's language where it is known. @param {string} fault as the service says it */
function faultText(fault) {
  // A kind of queue or the id of a class.
  const [value = ''] = /(?<=replaced by )\w+$|\b[\da-f]+:[\da-f]+\b/.exec(fault) ?? [];
  const template = value === '' ? fault : fault.replace(value, '%s');
  const text = _(template);
  return text === template ? fault : text.format(value);
}

const api = {
  number,
  clock,
  rate,

  /** @param {number} ms */
  milliseconds: (ms) =>
    ms < 1000
      ? _('%s ms').format(number(ms, ms < 10 ? 1 : 0))
      : _('%s s').format(number(ms / 1000)),

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
      case 'error':
        return _('Error');
      default:
        return _('Unknown');
    }
  },

  /** @param {string} state */
  stateMark: (state) =>
    ({ off: '○', starting: '…', shaping: '✓', blocked: '■', error: '✕' })[state] ?? '?',

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
    const { killswitch, dns } = status;
    const since = clock(status.since);
    const isDown = status.tunnel.state !== 'up';
    switch (status.state) {
      case 'off':
        return _('Off: your provider can see when each of your devices is used.');
      case 'starting':
        return killswitch
          ? _('Starting: your devices are cut off until the tunnel and its steady stream stand.')
          : _(
              'Starting: until the tunnel and its steady stream stand your provider sees your devices, because the kill switch is off.',
            );
      case 'shaping': {
        const leaks = audit?.state === 'done' && audit.verdict === 'leak';
        const names = dns
          ? ''
          : ` ${_('The names your devices look up still show: DNS through the tunnel is off.')}`;
        return shapingSentence(status, leaks) + names;
      }
      case 'blocked':
        if (!killswitch)
          return _(
            'Not protected since %s: your provider sees your devices, because the kill switch is off.',
          ).format(since);
        return isDown
          ? _(
              'Not protected: the tunnel is down since %s; your devices are cut off so that nothing leaks.',
            ).format(since)
          : _('Not protected since %s; your devices are cut off so that nothing leaks.').format(
              since,
            );
      case 'error':
        return status.config.ok
          ? _('Not protected: this router can’t shape at present.')
          : _('Not protected: the configuration can’t be used. What is wrong is listed below.');
    }
  },

  /**
   * What the service says of its state, where that is more than the sentence has said.
   * @param {Status} status
   */
  reason({ state, reason, fault, config, tunnel }) {
    if (state === 'error') return config.ok ? reason : '';
    const isSaid = state === 'blocked' && tunnel.state !== 'up' && fault === TUNNEL_DOWN;
    return fault === undefined || isSaid ? '' : _('Reason: %s.').format(faultText(fault));
  },
};

/** @typedef {typeof api} Words */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
