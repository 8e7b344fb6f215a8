// A new profile is tried beside one that works, takes its place once it was seen to connect, and stays once the endpoint has
// answered inside the tunnel, which proves the control key, too.
import { isSame } from '../../equality/equality.ts';
import { ask } from '../../machine/agenda.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import type { Profile } from '../../openvpn/profile.ts';
import { renderTrialOpenVpn } from '../../plan/openvpn.ts';
import { type DesiredState, desiredOf, type HomeState, type Intent, WHOLE } from './state.ts';
import { closeTunnel, type Turn } from './turn.ts';

/** So long the endpoint has to connect and to answer under a new profile, before the one that worked comes back. */
const ANSWER_WITHIN_MS = 45_000;
/** What was tried in vain is tried again after so long where the profile in force does not connect either. */
const TRY_AGAIN_MS = 60_000;

/** Whether the endpoint has answered under the profile in force since that was put there. */
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
  { desired, waiting = null, lastProved = null }: Extract<Intent, { kind: 'on' }>,
  before: DesiredState | null,
): DesiredState {
  const { fallback } = turn.state;
  const stays = before !== null && (isProved(turn.state) || fallback !== null);
  const inForce = stays ? before.profile : (lastProved ?? desired.profile);
  const [candidate = null] = [desired.profile, waiting].filter(
    (one) => one !== null && !isSame(one, inForce) && !isSame(one, fallback?.profile),
  );
  tryProfile(turn, candidate);
  if (before && !isSame(before.profile, inForce)) leaveProfile(turn);
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
  state.trial = { profile, failure: null, endedMs: 0 };
  const config = renderTrialOpenVpn({
    profile,
    managementSocket: state.place.trialSocket,
    plainUser: state.plainUser,
  });
  acts.push({ do: 'try', trial: { config, tries: profile.remotes.length } });
}

/** How it stands with the profile that is tried, or was in vain. */
export function trialNotices({ trial, fallback }: HomeState): Notice[] {
  const { failure = null } = trial ?? {};
  const tried = failure ? notice('profile-not-used', { why: failure }) : notice('profile-on-trial');
  return [...(trial ? [tried] : []), ...(fallback ? [notice('profile-not-answered')] : [])];
}

/** What came of it: `why` it does not connect, or null. */
export function endTrial(turn: Turn, why: Notice | null): void {
  const { state, acts, now } = turn;
  const desired = desiredOf(state);
  if (!desired || state.trial?.failure !== null) return;
  const { profile } = state.trial;
  if (why !== null) {
    giveUp(turn, profile, why);
    return;
  }
  const { profile: before } = state.fallback ?? desired;
  state.fallback = { profile: before, untilMs: now.monotonicMs + ANSWER_WITHIN_MS };
  state.trial = null;
  acts.push({ do: 'log', level: 'notice', notice: notice('profile-not-answered') });
  putInForce(turn, desired, profile);
}

/** The endpoint has answered: whatever profile is in force is one to come back to. */
export function proveProfile(turn: Turn): void {
  const { state, acts } = turn;
  const desired = desiredOf(state);
  if (!desired || !state.tunnel || isProved(state)) return;
  state.proved = desired.profile;
  if (state.fallback) {
    acts.push({ do: 'log', level: 'notice', notice: notice('profile-adopted') }, { do: 'adopt' });
  }
  state.fallback = null;
  acts.push({ do: 'keep-proved' });
}

/** What a second brings: a new profile under which nobody answers gives way, and one tried in vain gets another try. */
export function passTrial(turn: Turn): void {
  const { state, now } = turn;
  const desired = desiredOf(state);
  if (!desired) return;
  const { fallback, trial } = state;
  if (fallback && now.monotonicMs > fallback.untilMs) {
    state.fallback = null;
    const why = notice('trial-unanswered', { seconds: ANSWER_WITHIN_MS / 1000 });
    giveUp(turn, desired.profile, why);
    putInForce(turn, desired, fallback.profile);
    return;
  }
  const isOver = trial !== null && trial.failure !== null;
  if (!isOver || state.tunnelState === 'up') return;
  if (now.monotonicMs - trial.endedMs > TRY_AGAIN_MS) tryProfile(turn, trial.profile);
}

function giveUp({ state, acts, now }: Turn, profile: Profile, failure: Notice): void {
  state.trial = { profile, failure, endedMs: now.monotonicMs };
  const said = notice('profile-not-used', { why: failure });
  acts.push({ do: 'log', level: 'warning', notice: said });
}

/** Ends what stands by a profile. */
function leaveProfile(turn: Turn): void {
  // What still comes from its endpoint proves nothing of another.
  closeTunnel(turn);
  // Two profiles may differ in their control keys alone, of which OpenVPN knows nothing.
  turn.state.openvpnConfig = '';
}

function putInForce(turn: Turn, desired: DesiredState, profile: Profile): void {
  leaveProfile(turn);
  turn.state.intent = { kind: 'on', desired: { ...desired, profile } };
  ask(turn, ...WHOLE);
}
