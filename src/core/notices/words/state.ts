// How things stand with a home: the sentences its state is given with.

/** `{why}` is a clause of `faults.ts`, or a sentence about the configuration. */
export const stateWords = {
  'service-starting': 'Starting.',
  off: 'Off: your devices use the Internet directly, and your provider sees what they do.',
  'no-configuration': 'Not shaping: there is no configuration',
  'configuration-refused': 'Not shaping: {why}',

  'service-stopped':
    'The service is switched on, but does not run: your devices are cut off, or use the Internet directly; run "/etc/init.d/iotshaper start", and see in "logread -e iotshaper" why it ended.',

  starting: 'Starting: your devices are cut off until the tunnel is shaped.',
  'starting-cut-off': 'Starting: {why}; your devices are cut off so that nothing leaks.',
  'starting-network-unknown':
    'Starting: {why}; devices that are chosen by nothing else use the Internet directly meanwhile.',
  'starting-open':
    'Starting: {why}; your devices use the Internet directly, because the kill switch is off.',

  'blocked-cut-off': 'Not protected: {why}; your devices are cut off so that nothing leaks.',
  'blocked-network-unknown':
    'Not protected: {why}; devices that are chosen by nothing else use the Internet directly meanwhile.',
  'blocked-open':
    'Not protected: {why}; your devices use the Internet directly, because the kill switch is off.',

  shaping: 'Your provider sees one steady stream of {rate} KB/s.',
  'shaping-two-rates': 'Your provider sees one steady stream of {up} KB/s up and {down} KB/s down.',
  'shaping-rests':
    'Shaping rests ({source}): your devices use the tunnel, but your provider sees when.',

  'shaping-slower': 'Your provider sees one steady stream, slower than you asked for.',

  'unserved-partly': 'Some of what your devices ask for gets no answer: {why}.',
  'unserved-slow': 'Your devices wait long or get nothing: {why}.',
  unserved: 'Your devices get no answers: {why}.',

  // What stands behind such a sentence.
  'activity-hidden': "It can't tell when your devices are used.",
  'answers-awaited': 'Whether your devices are answered is being tried.',
  'names-show': 'Names your devices look up still show, because dns is off.',
  'missing-remark':
    '{name} has not been seen {since} while {others}; if one of them is it, choose it again.',
  'several-missing-remark':
    '{names} have not been seen lately while {others}; if one of them is among these, choose it again.',
  'resolver-remark':
    'If your devices ask {names} for names, your provider sees what it looks up for them.',
  'resolvers-remark':
    'If your devices ask {names} for names, your provider sees what they look up for them.',
} as const;
