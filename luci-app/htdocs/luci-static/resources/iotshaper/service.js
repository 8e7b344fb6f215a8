// Calls to the service on the bus, and what it means when one fails.
'use strict';
'require baseclass';
'require rpc';

/** @typedef {import('../../../../../src/core/home/api.ts').Status} Status */
/** @typedef {import('../../../../../src/core/home/api.ts').HistorySample} HistorySample */
/** @typedef {import('../../../../../src/core/home/api.ts').CheckResult} CheckResult */
/** @typedef {import('../../../../../src/core/home/api.ts').AuditStart} AuditStart */
/** @typedef {import('../../../../../src/core/home/api.ts').AuditReport} AuditReport */
/** @typedef {import('../../../../../src/core/home/api.ts').Recommendation} Recommendation */
/** @typedef {import('../../../../../src/core/home/api.ts').Mending} Mending */
/** @typedef {import('../../../../../src/core/home/api.ts').ProfileCheck} ProfileCheck */

/**
 * `absent`: not installed; `stopped`: installed, not running; `denied`: this login may not ask;
 * `old`: it answers, but not as this page needs; `silent`: it runs and does not answer;
 * `unreachable`: the router itself does not answer.
 * @typedef {'absent' | 'stopped' | 'denied' | 'old' | 'silent' | 'unreachable'} Cause
 */

/**
 * @template T
 * @typedef {{ ok: true, data: T } | { ok: false, cause: Cause }} Answer
 */

/** @param {string} method @param {string[]} [params] */
const declare = (method, params) =>
  rpc.declare({ object: 'iotshaper', method, params, reject: true });

const callStatus = declare('status');
const callHistory = declare('history');
const callCheck = declare('check');
const callAudit = declare('audit', ['seconds']);
const callAuditResult = declare('audit_result');
const callRecommend = declare('recommend');
const callMend = declare('mend', ['code']);
const callProfileCheck = declare('profile_check', ['text']);
const callProfileStore = declare('profile_store', ['text']);

const callExec = rpc.declare({
  object: 'file',
  method: 'exec',
  params: ['command', 'params'],
  reject: true,
});

const callServices = rpc.declare({ object: 'rc', method: 'list', params: ['name'] });

/**
 * rpc.js tells the kinds of failure apart in the text of its errors only.
 * @param {unknown} error
 * @returns {Cause | 'no object'}
 */
function causeOf(error) {
  const text = error instanceof Error ? error.message : String(error);
  const [, rpcCode] = /failed with error (-?\d+)/.exec(text) ?? [];
  const [, ubusCode] = /failed with ubus code (\d+)/.exec(text) ?? [];
  if (rpcCode === '-32002' || ubusCode === '6') return 'denied';
  // uhttpd: object not found; ubusd: the object went away between look-up and call.
  if (rpcCode === '-32000' || ubusCode === '4') return 'no object';
  if (ubusCode === '3' || ubusCode === '2') return 'old';
  if (rpcCode || ubusCode) return 'silent';
  return 'unreachable';
}

/** @returns {Promise<Cause>} */
async function findMissing() {
  try {
    const services = await callServices('iotshaper');
    const known = /** @type {any} */ (services)?.iotshaper;
    if (!known) return 'absent';
    return known.running ? 'silent' : 'stopped';
  } catch {
    return 'stopped';
  }
}

/**
 * @template T
 * @param {Promise<T>} call
 * @returns {Promise<Answer<T>>}
 */
async function answerOf(call) {
  try {
    return { ok: true, data: await call };
  } catch (error) {
    const cause = causeOf(error);
    return { ok: false, cause: cause === 'no object' ? await findMissing() : cause };
  }
}

/**
 * A service of another age answers in another shape: only what the pages read is looked for.
 * @param {any} status
 */
function isStatus(status) {
  const states = ['off', 'starting', 'shaping', 'blocked', 'error'];
  return (
    states.includes(status?.state) &&
    Array.isArray(status.config?.errors) &&
    Array.isArray(status.config.warnings) &&
    Array.isArray(status.devices) &&
    ['killswitch', 'dns'].every((flag) => typeof status[flag] === 'boolean') &&
    ['rate', 'tunnel', 'upload', 'download', 'endpoint', 'cost'].every(
      (part) => typeof status[part] === 'object',
    )
  );
}

const api = {
  /** @returns {Promise<Answer<Status>>} */
  async status() {
    const answer = await answerOf(/** @type {Promise<Status>} */ (callStatus()));
    return answer.ok && !isStatus(answer.data) ? { ok: false, cause: 'old' } : answer;
  },

  /**
   * The samples of the last five minutes; a message on the bus is a table, so they come in one.
   * @returns {Promise<Answer<HistorySample[]>>}
   */
  async history() {
    const answer = await answerOf(/** @type {Promise<object>} */ (callHistory()));
    if (!answer.ok) return answer;
    const samples = Object.values(answer.data ?? {}).find(Array.isArray);
    return samples ? { ok: true, data: samples } : { ok: false, cause: 'old' };
  },

  /** @returns {Promise<Answer<CheckResult>>} */
  check: () => answerOf(/** @type {Promise<CheckResult>} */ (callCheck())),

  /** @param {number} seconds @returns {Promise<Answer<AuditStart>>} */
  audit: (seconds) => answerOf(/** @type {Promise<AuditStart>} */ (callAudit(seconds))),

  /** @returns {Promise<Answer<AuditReport>>} */
  auditResult: () => answerOf(/** @type {Promise<AuditReport>} */ (callAuditResult())),

  /** @returns {Promise<Answer<Recommendation>>} */
  recommend: () => answerOf(/** @type {Promise<Recommendation>} */ (callRecommend())),

  /** @param {string} code @returns {Promise<Answer<Mending>>} */
  mend: (code) => answerOf(/** @type {Promise<Mending>} */ (callMend(code))),

  /** @param {string} text @returns {Promise<Answer<ProfileCheck>>} */
  checkProfile: (text) => answerOf(/** @type {Promise<ProfileCheck>} */ (callProfileCheck(text))),

  /** @param {string} text @returns {Promise<Answer<ProfileCheck>>} */
  storeProfile: (text) => answerOf(/** @type {Promise<ProfileCheck>} */ (callProfileStore(text))),

  /**
   * Starts the service, now and at each boot: as an administrator's login may, and nothing else of the kind.
   * @returns {Promise<string>} why it was not started; '' when it was
   */
  async start() {
    for (const action of ['enable', 'start']) {
      const call = /** @type {Promise<{ code?: number, stderr?: string }>} */ (
        callExec('/etc/init.d/iotshaper', [action])
      );
      const answer = await answerOf(call);
      if (!answer.ok)
        return answer.cause === 'denied'
          ? _('This login may not start the service iotshaper.')
          : api.explain(answer.cause);
      if (action === 'start' && answer.data?.code)
        return _('The service iotshaper could not be started: %s').format(answer.data.stderr ?? '');
    }
    return '';
  },

  /** Why the router did not take the settings. @param {unknown} error of a save */
  explainRefusal(error) {
    const cause = causeOf(error);
    if (cause === 'denied') return _('This login may not change the settings.');
    if (cause === 'unreachable') return _('The router does not answer. Save again in a moment.');
    // LuCI puts a stack behind the first line.
    const [reason = ''] = String(error instanceof Error ? error.message : error).split('\n');
    return _('The router refused the settings: %s. Load the page again, then save.').format(reason);
  },

  /** What happened and what to do about it. @param {Cause} cause */
  explain(cause) {
    switch (cause) {
      case 'absent':
        return _(
          'The service iotshaper is not installed on this router. Install the package iot-shaper.',
        );
      case 'stopped':
        return _(
          'The service iotshaper is not running. Start it with the switch under Overview, or with: /etc/init.d/iotshaper start',
        );
      case 'denied':
        return _(
          'This login may not ask the service iotshaper. Log in as an administrator, or grant “IoT Privacy” to it.',
        );
      case 'old':
        return _(
          'The service iotshaper that runs is of another version than this page. Restart it with: /etc/init.d/iotshaper restart',
        );
      case 'silent':
        return _(
          'The service iotshaper runs but does not answer. Look for it under Status → System Log.',
        );
      case 'unreachable':
        return _('The router does not answer. The page tries again every few seconds.');
    }
  },
};

/** @typedef {typeof api} Service */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
