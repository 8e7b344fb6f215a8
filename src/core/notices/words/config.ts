// What is wrong or odd in /etc/config/iotshaper. `{path}` names the option or section, `{value}` is what stands there, quoted.

export const configWords = {
  // Beside the option's field on the page.
  'field-refused': 'Must be {allowed}.',
  'option-refused': '{path}: must be {allowed}, got {value}',
  'option-is-list': '{path}: must be one option, got a list of {count}: {value}',
  'option-of-either-missing': '{path}: must have an option {first} or {second}, got {value}',
  'option-unknown': '{path}: unknown option, ignored',
  'option-unknown-meant': '{path}: unknown option, ignored; did you mean "{meant}"?',
  nothing: 'nothing',

  // `{allowed}`
  between: 'between {least} and {most} {unit}',
  'zero-or-between': '0 or between {least} and {most} {unit}',
  'whole-between': 'a whole number between {least} and {most} {unit}',
  'port-between': 'a port between {least} and {most}',
  'above-zero': 'more than 0 {unit}',
  'zero-or-more': '0 or more {unit}',
  'yes-or-no': '1 or 0 (or on/off, true/false, yes/no, enabled/disabled)',
  'hardware-address': 'the hardware address of one device, such as 18:b4:30:00:00:01',
  'address-or-prefix':
    'an IPv4 or IPv6 address or prefix, such as 192.168.1.50, 192.168.2.0/24 or fd00::/64',
  'netdev-name': 'the name of a network device: 1 to 15 letters, digits, ".", "_" or "-"',
  'file-path': 'the absolute path of a file',
  'time-of-day': 'a time of day from 00:00 to 23:59',
  'line-of-text': 'text of 1 to {most} characters on one line',
  'unit-bytes': 'bytes',
  'unit-slots': 'slots',
  'unit-gb-a-month': 'GB a month',
  'unit-a-gb': 'a GB',

  'section-of-other-type': '{path}: must be a section of type {type}, got {value}',
  'section-of-other-name':
    "{path}: must be named '{name}', as in \"config {type} '{name}'\", got {value}",
  'section-type-mistyped':
    '{path}: must be of a known type ({types}; did you mean "{meant}"?), got {value}',
  'section-type-unknown': '{path}: unknown section type {value}, ignored',
  'section-does-nothing': '{path}: a section of this name does nothing; did you mean: {command}',
  'rate-section-overrides': '{path}: the section named rate overrides {options}',

  'rate-unheld':
    '{path}: must be at most {most} KB/s, got {value}: above that this machine’s timers blur the intervals of mode {mode}; choose a lower rate, a larger packet_size, or mode constant',
  'netdev-names-taken': '{path}: must not be {names}, which are taken, got {value}',
  'netdev-name-taken': '{path}: must differ from {name}, which is taken, got {value}',
  'same-as-other': '{path}: must differ from {other}, got {value}',
  'address-trimmed': '{path}: {value} is read as {prefix}',
  'address-redundant': '{path}: {inner} is left out, {outer} holds it already',
  'address-overlaps':
    '{path}: addresses of {label} must not overlap {other} of {owner}, got {value}',
  'hardware-address-taken':
    '{path}: {label} must not have the hardware address of {owner}, got {value}',
  'schedules-overlap':
    '{path}: the schedule {later} overlaps the schedule {earlier}; where both apply, {later} counts, the later one in the list',
  'interface-understood':
    '{path}: {name} is {netdev} (what stands there is the name of an interface of OpenWrt)',
  'nobody-shaped':
    '{path}: enabled, but no section of type device or network says whose traffic to shape',

  'sections-too-many': '{path}: must hold at most {most} sections, got {count}',
  'schedules-too-many': '{path}: must hold at most {most} schedules, got {count}',
  'configuration-too-large': '{path}: must be a file of at most {most} bytes, got {count}',
  // In libuci's words.
  'configuration-unparsed': '{path}: {error}',
  'configuration-unreadable': "{file}: can't be read ({error}); restore it or reinstall iot-shaper",
  'configuration-not-there': '{path}: cannot read the configuration file ({error})',

  'profile-not-there':
    '{path}: there is no profile at "{file}"; upload the one that "iotshaper endpoint add-home" printed',
  'profile-out-of-place': '{path}: {why}',
  'profile-refused': '{path}: {file}: {why}',
  'profile-line-refused': '{path}: {file}, line {line}: {why}',
  'netdev-foreign':
    '{path}: "{netdev}" is a network device that something else made and needs; choose a name that none has: run "{command}"',
  'rules-refused': 'nftables refuses the rules: {error}',
} as const;
