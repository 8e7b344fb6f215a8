// Bench: how often the audit finds each planted leak, in recordings of growing length, and how often it errs on clean ones.
import { auditTraces } from '../../src/core/analysis/audit.ts';
import { LEAKS, synthesize } from '../analysis/audit-synthetic.ts';

const [seedsText = '10', lengthsText = '30,60,120,300,600', patternText = 'events', onlyText = ''] =
  process.argv.slice(2);
const seeds = Number(seedsText);
const pattern = patternText === 'alternate' ? 'alternate' : 'events';
for (const leak of [null, ...LEAKS]) {
  if (onlyText && (leak ?? 'clean') !== onlyText) continue;
  for (const seconds of lengthsText.split(',').map(Number)) {
    let leaks = 0;
    let short = 0;
    let aucs = 0;
    const families = new Map<string, number>();
    const started = performance.now();
    for (let seed = 1; seed <= seeds; seed++) {
      const { wire, activity } = synthesize({ seconds, seed, leak, pattern });
      const result = auditTraces({ wire, activity, seed });
      if (result.level === 'leak') leaks++;
      if (result.level === 'too short') short++;
      aucs += (result.windows[0]?.forest?.value ?? 0.5) / seeds;
      for (const finding of result.findings) {
        families.set(finding.family, (families.get(finding.family) ?? 0) + 1);
      }
      if (leak === null && result.level === 'leak') console.log(result.findings);
    }
    const ms = ((performance.now() - started) / seeds).toFixed(0);
    const by = [...families].map(([name, n]) => `${name}: ${n}`).join(', ');
    console.log(
      `${leak ?? 'clean'} ${pattern} ${seconds} s: leak ${leaks}/${seeds}, too short ${short}, mean AUC(1 s) ${aucs.toFixed(3)}, ${ms} ms each; ${by}`,
    );
  }
}
