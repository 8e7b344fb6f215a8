// What an audit found: its verdict, the figures behind it, and what it could not look at.

/** Numbers come rounded, as text. `{finding}` and `{recording}` are clauses that stand further down. */
export const auditWords = {
  'audit-leak': 'Leak: {finding}.',
  'audit-more-findings': '{count} more findings.',
  'audit-seen-in': 'Seen in {recording}.',
  'audit-blind': 'Too short to tell: only a leak of AUC {auc} or more could have been seen.',
  'audit-one-sided':
    'Too short to tell: devices must be both active and idle for some time ({limit}).',
  'audit-looked-at':
    'Looked at {recording}. Nothing was found so far; let it run longer while devices are used.',
  'audit-clean': 'No leak found in {recording}.',
  'audit-classifier':
    'A classifier guessed active windows with AUC {auc} (95 %: {low}–{high}; 0.50 is chance).',
  'audit-reach':
    'No leak larger than AUC {auc} per window of {window} s could have stayed unseen in {duration}; smaller ones could.',
  'audit-onsets-untested': 'Slots around single events were not tested: too few began.',
  'audit-false-alarms': 'Of clean streams at most {percent} % are called a leak.',

  recording: '{duration}, {up} packets up and {down} down',
  'recording-active':
    '{duration}, {up} packets up and {down} down, {active} active and {idle} idle windows of {window} s, {onsets} onsets',
  'recording-busier':
    '{duration}, {up} packets up and {down} down, {active} busier and {idle} quieter windows of {window} s, {onsets} onsets',
  'span-seconds': '{count} s',

  'finding-sizes':
    '{others} of {packets} packets {direction} ({share} %) are not {bytes} bytes long but {sizes}',
  'finding-onsets':
    'slots answer to devices: {test}: {observed} where {expected} is expected ({z} standard deviations)',
  'finding-forest':
    'a classifier (random forest) tells active from idle {family} with AUC {auc} (0.50 is guessing)',
  'finding-logistic':
    'a classifier (logistic regression) tells active from idle {family} with AUC {auc} (0.50 is guessing)',
  'finding-information': '{family}: one feature of the wire shares {bits} bits with activity',
  'finding-higher': '{feature} is higher in active {family} (AUC {auc}, {z} standard deviations)',
  'finding-lower': '{feature} is lower in active {family} (AUC {auc}, {z} standard deviations)',
  'finding-variance':
    'variance of intervals {direction} under activity is {ratio} of the idle one ({z} standard deviations)',
  'finding-entropy-below':
    'entropy of intervals {direction} under activity is {bits} bits below the idle one ({z} standard deviations)',
  'finding-entropy-above':
    'entropy of intervals {direction} under activity is {bits} bits above the idle one ({z} standard deviations)',
  'finding-intervals':
    'intervals {direction} differ between idle and active: Kolmogorov–Smirnov D {observed} where {expected} is expected ({z} standard deviations)',
  'windows-of': 'windows of {window} s',

  'limit-windows': 'windows of {window} s: only {count} of them, {least} needed',
  'limit-one-sided':
    'windows of {window} s: only {active} active and {idle} idle, {least} of each needed',
  'limit-no-activity': 'no activity',
  'limit-intervals': 'too little activity or idleness to compare intervals between them',
  'limit-onsets': 'only {count} onsets of activity ({least} needed): slots around them not tested',
  'limit-busier':
    'devices were hardly ever idle: busier is told from quieter instead of active from idle',
  'limit-stalls':
    '{direction}: {count} gaps of more than {slots} intervals, the longest {longest} ms: the machine or the line stalls, which makes leaks harder to find',
  'limit-lost': 'the kernel lost {count} packets of the recording',

  'figure-sizes': 'packets of another size, {direction}',
  'figure-forest': 'AUC, {family}',
  'figure-logistic': 'AUC of logistic regression, {family}',
  'figure-information': 'mutual information, {family}',
  'figure-ks': 'Kolmogorov–Smirnov D, {direction}',
  'figure-sd-idle': 'interval sd idle, {direction}',
  'figure-sd-active': 'interval sd active, {direction}',
  'figure-onsets': 'largest deviation of slots at onsets, standard deviations',
} as const;
