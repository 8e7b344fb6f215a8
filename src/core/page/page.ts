// All of the core that the router's page computes with: scripts/page.mjs makes one of LuCI's modules of it.
export {
  deviceSection,
  mainSection,
  scheduleSection,
  tunnelSection,
} from '../config/options/options.ts';
export { foldRateSection } from '../config/rate-section.ts';
export { ratesOf } from '../config/rates.ts';
export { DAY_MINUTES, weekRuns } from '../config/week.ts';
export { costOf } from '../cost/cost.ts';
export { scheduleShares } from '../cost/shares.ts';
export { toleratedRates, usefulRates } from '../cost/tolerated-rates.ts';
export { isMendable } from '../home/mending.ts';
export { slotMs } from '../stream/stream.ts';
export { readDraft } from './draft.ts';
export { fieldsOf, flagText } from './fields.ts';
