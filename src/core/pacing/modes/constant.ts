// Mode `constant`: one interval, always the same. The router's own jitter shows in it (Apthorpe et al. 2017, §7.6).
import type { PacingMode } from './mode.ts';

export const constant: PacingMode = {
  varies: false,
  createDraw: (meanMs) => () => meanMs,
  reach: () => ({ shortest: 1, longest: 1 }),
  words: {
    does: 'does not',
    label: 'Constant',
    hint: '',
    caution: 'Constant intervals leak through the jitter of a busy router: prefer vit.',
    title: 'constant intervals',
    picture:
      'Everything is packed into packets of one size that leave at one beat, whether devices talk or not.',
  },
};
