// The pacing modes there are: a new one is a file beside these and a line here.
import { constant } from './modes/constant.ts';
import type { PacingMode } from './modes/mode.ts';
import { vit } from './modes/vit.ts';

const table = { constant, vit } satisfies Record<string, PacingMode>;

/** How intervals between slots are drawn, by the name that UCI, the bus and the command line use. */
export type Mode = keyof typeof table;

export const modes: Readonly<Record<Mode, PacingMode>> = table;
export const modeNames = Object.keys(table) as Mode[];
export const defaultMode: Mode = 'vit';

/** Modes as people choose among them: the default comes first. */
export const modeChoices = [defaultMode, ...modeNames.filter((name) => name !== defaultMode)];
/** Modes for which `interval_sd` means something. */
export const variedModes = modeChoices.filter((name) => modes[name].varies);

export function isMode(name: unknown): name is Mode {
  return modeNames.some((known) => known === name);
}

/** Standard deviation of a mode's intervals where this one is configured, percent of the mean. */
export function sdOf(mode: Mode, configuredPercent: number): number {
  return modes[mode].varies ? configuredPercent : 0;
}
