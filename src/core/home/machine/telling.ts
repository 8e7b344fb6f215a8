// What a person is told of the state: one notice, made of what is known and of nothing else.
import { isSame } from '../../equality/equality.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import type { State } from '../api.ts';
import { obstacleReason, shapingReason, shapingRemarks } from '../reasons.ts';
import { type DesiredState, desiredOf, type HomeState } from './state.ts';
import type { Told } from './told.ts';
import type { Turn } from './turn.ts';

/** Brings what is told to what is known; a change is published, and logged. */
export function tell({ state, acts, now }: Turn): void {
  const { told } = state;
  const next = toldOf(state);
  const { sinceS, ...before } = told;
  if (isSame(next, before)) return;
  state.told = { ...next, sinceS: next.state === told.state ? sinceS : now.unixS };
  acts.push({ do: 'publish' });
}

function toldOf(state: HomeState): Omit<Told, 'sinceS'> {
  const { intent, obstacle, permitted, everPermitted } = state;
  const told = (
    name: State,
    reason: Notice,
    fault: Notice | null = null,
    remarks: readonly Notice[] = [],
  ) => ({ state: name, reason, remarks, fault, trouble: null });
  switch (intent.kind) {
    case 'stop': {
      // How it ends is told by who ends it.
      const { sinceS, ...before } = state.told;
      return before;
    }
    case 'off': {
      // It is off once nothing stands any more, and no sooner.
      const { sinceS, ...before } = state.told;
      const isDone = state.running === null && state.pending.length === 0;
      return isDone ? told('off', notice('off')) : before;
    }
    case 'none':
      return told(
        'error',
        intent.why
          ? notice('configuration-refused', { why: intent.why })
          : notice('no-configuration'),
      );
    case 'on':
      if (permitted) return { state: 'shaping', fault: null, ...shapingNotices(state) };
      if (obstacle === null)
        return told('starting', isShut(state) ? notice('starting') : notice('service-starting'));
      return told(
        everPermitted ? 'blocked' : 'starting',
        obstacleNotice(state, obstacle),
        obstacle,
      );
  }
}

/** Whether devices are known to be cut off: not before the first rules are in force, and where they may do without the tunnel. */
function isShut({ intent, house, pending, running }: HomeState): boolean {
  if (intent.kind !== 'on' || pending.includes('rules') || running === 'rules') return false;
  return intent.desired.config.main.killswitch && !house.networkUnknown;
}

function shapingNotices(state: HomeState): Pick<Told, 'reason' | 'remarks' | 'trouble'> {
  const { config, rate } = desiredOf(state) as DesiredState;
  const { troubles, short, partly } = state.delivery;
  const [slow] = short;
  const [part] = partly;
  const stream = slow ? notice('shaping-slower') : shapingReason(rate);
  const [trouble = null] = troubles;
  const isServed = trouble === null ? state.delivery.isServed : null;
  const remarks = shapingRemarks(rate, config.main.dns, state.near.remarks, isServed);
  if (trouble === null && slow) {
    return {
      reason: notice('unserved-slow', { why: slow }),
      remarks: [stream, ...remarks],
      trouble: slow,
    };
  }
  if (trouble === null && part) {
    return {
      reason: notice('unserved-partly', { why: part }),
      remarks: [stream, ...remarks],
      trouble: part,
    };
  }
  if (trouble === null) return { reason: stream, remarks, trouble };
  return { reason: notice('unserved', { why: trouble }), remarks: [stream, ...remarks], trouble };
}

function obstacleNotice(state: HomeState, why: Notice): Notice {
  const { killswitch } = (desiredOf(state) as DesiredState).config.main;
  const { networkUnknown } = state.house;
  return obstacleReason({ everShaped: state.everPermitted, killswitch, networkUnknown }, why);
}
