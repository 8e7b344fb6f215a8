// Mode `vit`: normal intervals, the variable-interval-time padding of Fu et al. 2003, named in Apthorpe et al. 2017, §7.6.
import type { Random } from '../../random/random.ts';
import type { PacingMode } from './mode.ts';

/** Draws farther than this many standard deviations from the mean are drawn again. */
export const TRUNCATION_SDS = 2.5;

/**
 * What truncation at {@link TRUNCATION_SDS} leaves of a normal distribution's standard deviation:
 * sqrt(1 - 2kφ(k)/(2Φ(k)-1)) with k = 2.5 (Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1, §13.10.1).
 * Symmetric truncation leaves the mean where it was.
 */
export const TRUNCATED_SD_SHARE = 0.954582;

/**
 * No interval is shorter, as a share of the mean. At the widest sd, 40 %, draws reach 2.5 / 0.9546 × 40 % = 104.8 % below the
 * mean, so that 0.56 % of them end here: the mean is 0.02 % higher for it, the sd 0.15 % smaller. Up to 36 % none does.
 */
export const SHORTEST = 0.05;

/** Farthest a draw lies from the mean, as a share of it. */
const reachOf = (sdPercent: number) => ((TRUNCATION_SDS / TRUNCATED_SD_SHARE) * sdPercent) / 100;

/** T ~ N(mean, sd), truncated symmetrically and scaled so that the asked sd is what comes out. */
export const vit: PacingMode = {
  varies: true,
  createDraw(meanMs, sdMs, random) {
    const normal = createNormal(random);
    const scaleMs = sdMs / TRUNCATED_SD_SHARE;
    return () => {
      let z = normal();
      while (Math.abs(z) > TRUNCATION_SDS) z = normal();
      return Math.max(meanMs + scaleMs * z, meanMs * SHORTEST);
    };
  },
  reach: (sdPercent) => ({
    shortest: Math.max(SHORTEST, 1 - reachOf(sdPercent)),
    longest: 1 + reachOf(sdPercent),
  }),
  words: {
    does: 'varies the intervals between packets, which hides the jitter of the router',
    label: 'Varied',
    hint: 'Varied intervals drown the small irregularities of the router itself, which could tell activity.',
    caution: '',
    title: 'varying intervals (the default)',
    picture:
      'As before, but the beat itself varies at random, so that the machine’s own small irregularities drown in it.',
  },
};

/** Marsaglia's polar method: two normals from two uniforms, no trigonometry. */
function createNormal(random: Random): () => number {
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const z = spare;
      spare = null;
      return z;
    }
    for (;;) {
      const u = 2 * random() - 1;
      const v = 2 * random() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const scale = Math.sqrt((-2 * Math.log(s)) / s);
        spare = v * scale;
        return u * scale;
      }
    }
  };
}
