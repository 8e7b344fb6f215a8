// A new profile is tried beside one that works, and takes its place once it was seen to connect.
import { isSame } from '../../equality/equality.ts';
import { ask } from '../../machine/agenda.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import type { Profile } from '../../openvpn/profile.ts';
import { renderTrialOpenVpn } from '../../plan/openvpn.ts';
import { type DesiredState, desiredOf, type HomeState, type Intent, WHOLE } from './state.ts';
import type { Turn } from './turn.ts';

/** Whether the profile in force has connected since it was put there. */
export function isProved(state: HomeState): boolean {
  const desired = desiredOf(state);
  return desired !== null && isSame(state.proved, desired.profile);
}

/**
 * What is to be, with the profile that is to be in force: one that works stays until a new one was tried.
 *
 * @param before what is in force so far
 */
export function chooseProfile(
  turn: Turn,
  { desired, waiting = null }: Extract<Intent, { kind: 'on' }>,
  before: DesiredState | null,
): DesiredState {
  const inForce = before && isProved(turn.state) ? before.profile : desired.profile;
  const isNew = !isSame(desired.profile, inForce);
  const candidate = isNew ? desired.profile : waiting;
  tryProfile(turn, candidate === null || isSame(candidate, inForce) ? null : candidate);
  return { ...desired, profile: inForce };
}

/** Has a profile tried, and what is being tried given up; null for none. One that failed is tried again. */
export function tryProfile({ state, acts }: Turn, profile: Profile | null): void {
  if (profile === null) {
    if (state.trial) acts.push({ do: 'try', trial: null });
    state.trial = null;
    return;
  }
  if (state.trial?.failure === null && isSame(state.trial.profile, profile)) return;
  state.trial = { profile, failure: null };
  const config = renderTrialOpenVpn({
    profile,
    managementSocket: state.place.trialSocket,
    plainUser: state.plainUser,
  });
  acts.push({ do: 'try', trial: { config, tries: profile.remotes.length } });
}

/** How it stands with the profile that is tried, or was in vain. */
export function trialNotice({ failure }: NonNullable<HomeState['trial']>): Notice {
  return failure ? notice('profile-not-used', { why: failure }) : notice('profile-on-trial');
}

/** What came of it: `why` it does not connect, or null. */
export function endTrial(turn: Turn, why: Notice | null): void {
  const { state, acts } = turn;
  const desired = desiredOf(state);
  if (!desired || state.trial?.failure !== null) return;
  if (why !== null) {
    state.trial = { ...state.trial, failure: why };
    acts.push({ do: 'log', level: 'warning', notice: notice('profile-not-used', { why }) });
    return;
  }
  state.intent = { kind: 'on', desired: { ...desired, profile: state.trial.profile } };
  state.trial = null;
  acts.push({ do: 'log', level: 'notice', notice: notice('profile-adopted') }, { do: 'adopt' });
  ask(turn, ...WHOLE);
}
