// What a home's log alone tells.

export const logWords = {
  'clock-set': 'the clock is set: schedules apply',
  'tunnel-state': 'tunnel: {state}',
  'rules-put-back': 'someone removed the rules that guard devices; they are put back',
  'last-good-used':
    'the last good configuration, with the profile that worked last, is used instead',
  'last-good-unkept': "the last good configuration can't be kept: {error}",
  'boot-rules-unkept': "the rules for the next boot can't be kept: {error}",
  'commands-unheard':
    "commands such as iotshaper status can't reach the service ({error}); it tries again with the next reload",
  'followed-unkept': "what is known of devices can't be kept: {error}",
  'plain-user-missing':
    'OpenVPN and socat keep running as root: this system has no user nobody with a group nogroup',
  'answer-out-of-bounds':
    "the endpoint's answer is refused: it names {outside}, but the profile allows {bounds} only; if the endpoint was made anew, upload the profile that its add-home printed",
} as const;
