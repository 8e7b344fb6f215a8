// What a person is told of the state: one notice, made of what is known and of nothing else.
import { isSame } from '../../equality/equality.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import type { State } from '../api.ts';
import { type DesiredState, desiredOf, type HomeState, type Told } from './state.ts';
import type { Turn } from './turn.ts';

/** Brings what is told to what is known; a change is published, and logged. */
export function tell({ state, acts, now }: Turn): void {
  const { told } = state;
  const next = toldOf(state);
  if (isSame(next, { state: told.state, reason: told.reason, fault: told.fault })) return;
  state.told = { ...next, sinceS: next.state === told.state ? told.sinceS : now.unixS };
  const level = next.state === 'blocked' || next.state === 'error' ? 'warning' : 'notice';
  acts.push({ do: 'log', level, notice: next.reason }, { do: 'publish' });
}

function toldOf(state: HomeState): Omit<Told, 'sinceS'> {
  const { intent, obstacle } = state;
  if (intent.kind === 'none') return plain('error', notice('not-configured', { why: intent.why }));
  // How it ends is told by who ends it.
  if (intent.kind === 'stop') {
    const { state: before, reason, fault } = state.told;
    return { state: before, reason, fault };
  }
  if (intent.kind === 'off') return plain('off', notice('off'));
  if (state.permitted) return plain('shaping', shapingNotice(state));
  const blocked: State = state.everPermitted ? 'blocked' : 'starting';
  if (obstacle === null) return plain('starting', notice('starting'));
  return { state: blocked, reason: blockedNotice(state, obstacle), fault: obstacle };
}

function plain(state: State, reason: Notice): Omit<Told, 'sinceS'> {
  return { state, reason, fault: null };
}

function shapingNotice(state: HomeState): Notice {
  const { config, rate } = desiredOf(state) as DesiredState;
  const { uploadKBps: upload, downloadKBps: download, source } = rate;
  if (upload === 0) return notice('shaping-rests', { source });
  const rates =
    upload === download
      ? notice('rate-both', { rate: upload })
      : notice('rate-each', { upload, download });
  const clauses = [...(config.main.dns ? [] : [notice('names-show')]), ...state.near.clauses];
  return notice('shaping', { rates, clauses });
}

function blockedNotice(state: HomeState, why: Notice): Notice {
  const { killswitch } = (desiredOf(state) as DesiredState).config.main;
  const partly = state.house.networkUnknown ? notice('cut-off-partly') : notice('cut-off');
  const effect = killswitch ? partly : notice('direct');
  return notice(state.everPermitted ? 'blocked' : 'starting-blocked', { why, effect });
}
