// What is wrong with an OpenVPN profile: sentences without their full stop, each of which follows the number of a line.

/** `{why}` and `{rule}` are clauses that stand further down. Nothing here may quote what could be a part of a key. */
export const profileWords = {
  'profile-too-large': 'the profile is larger than {most} bytes',
  'profile-faults-more': 'and {count} more faults; is this the profile the endpoint printed?',
  'profile-newer': 'version {version}: is newer than this program; update iot-shaper on the router',

  'line-too-long':
    'is longer than {most} bytes, which OpenVPN does not read as one line; copy the profile as the endpoint printed it',
  'control-character': 'holds a control character; upload the file as the endpoint printed it',
  'foreign-character':
    'holds the character U+{character}; outside of comments a profile is plain ASCII, so remove it',
  'quote-unpaired': 'has a quotation mark without its pair; remove it',

  'directive-refused': '{directive}: {why}',
  'block-refused': '<{tag}>: {why}',
  'block-twice': '<{tag}>: stands twice; keep one',
  'block-not-alone': '<{tag}>: must stand alone on its line',
  'block-not-allowed': 'opens a block that is not allowed; remove it',
  'block-not-open': '</{tag}>: closes a block that is not open',
  'block-not-lower': '<{tag}>: must be written in lower case',
  'block-end-not-alone': 'the end of {block}: must stand alone on its line',
  'block-end-not-lower': 'the end of {block}: must be written in lower case',
  'block-unended': '{block}: has no end',
  'block-unended-known': '{block}: has no end ({end})',
  'some-block': 'a block',
  'block-missing': 'has no <{tag}> block; upload the whole profile the endpoint printed',
  'block-empty': '<{tag}>: is empty; upload the whole profile the endpoint printed',
  'pem-outside':
    'a certificate or key stands outside of its block; put it between <cert> and </cert>, or <key> and </key>',
  'pem-odd-line': 'is no line of a certificate or key; copy it again',
  'pem-cut-short': 'is cut short: it has a BEGIN line and no END line of its own; copy it whole',
  'pem-stray-end': 'has an END line without its BEGIN line; copy it whole',

  'remote-missing': 'has no "remote" line that names the endpoint',
  'remotes-too-many': 'has more than {most} "remote" lines; keep the first ones',
  'remote-of-other-family': 'remote: an address of the other family than {proto}; use udp',
  'trust-missing':
    'has neither <peer-fingerprint> nor <ca>, so the endpoint could be anyone; upload the whole profile the endpoint printed',
  'fingerprints-empty': '<peer-fingerprint>: is empty; it {rule}',
  'authorities-too-many': '<ca>: holds more than {most} certificates',
  'certificates-too-many': "<cert>: holds more than one certificate; keep the home's own",
  'not-certificate':
    '<{tag}>: holds something else than a certificate; upload the whole profile the endpoint printed',
  'key-not-one': '<key>: must hold one key; upload the whole profile the endpoint printed',
  'key-unread':
    '<key>: holds no private key for TLS that can be read; upload the whole profile the endpoint printed',
  'key-locked':
    '<key>: is locked with a password, which nobody can type on a router; add the home anew on the endpoint, or unlock it with "openssl pkey -in FILE"',
  'key-of-other':
    '<key>: this key and the certificate are no pair; upload the profile as the endpoint printed it',

  'control-key-missing':
    'this profile has no control key: on the server, update iot-shaper-endpoint, run "iotshaper endpoint remove-home NAME" and "iotshaper endpoint add-home NAME", then upload the new profile',
  'profile-of-other-vpn':
    'this is a profile of another VPN, whose server can\'t keep the stream; iot-shaper needs an endpoint of its own: set one up as its page "Tunnel" shows, and upload what "iotshaper endpoint add-home NAME" prints there',
  'entry-twice': '{name}: stands twice; keep one',
  'entry-of-words': '{name}: must be one word',
  'entry-missing': '<iotshaper>: has no {name}; upload the profile as the endpoint printed it',
  'entry-refused': '{name}: must be {rule}; upload the profile as the endpoint printed it',
  'tunnel-within-inner':
    'tunnel: must lie outside of inner; upload the profile as the endpoint printed it',
  'form-number': 'a number',
  'form-control-key': '32 bytes in base64',
  'form-prefix4': 'a private IPv4 prefix of length {length}',
  'form-prefix6': 'an IPv6 prefix of length {length} within fc00::/7',

  'takes-no-value': 'takes no value; remove what follows it',
  'must-be': 'must be {word}',
  'must-be-udp': "must be udp; TCP can't keep packets on schedule",
  'must-be-port': 'must be a port from 1 to 65535',
  'must-be-either': 'must be {first} or {second}',
  'must-be-name': 'must be the common name of the endpoint\'s certificate, then the word "name"',
  'must-be-fingerprint':
    'must be a SHA-256 fingerprint, 32 bytes as hexadecimal with colons, as "openssl x509 -noout -fingerprint -sha256" prints after the equals sign',
  'name-and-more': 'has more than a name and the word "name"; remove what follows',
  'host-in-brackets': 'must name the address without brackets',
  'host-missing': "must name the endpoint's host",
  'remote-and-more': 'has more than host, port and udp; remove what follows',
  'ciphers-spaced': 'must be names with colons between them and no blanks',
  'ciphers-weak': 'must be of {ciphers}',
  'ciphers-not-offered': 'must hold {ciphers}, which endpoints offer',
  'names-file': 'names a file; put its contents between <{name}> and </{name}>',
  'runs-program': 'runs a program on the router; remove it',
  'loads-code': 'loads foreign code into OpenVPN; remove it',
  compresses: 'compression gives contents away by their size; remove it',
  'has-no-use': 'an iot-shaper endpoint has no use for it; remove it',
  'is-negotiated': 'is agreed on by the endpoint and the router; remove it',
  'directive-not-allowed': 'is not a directive iot-shaper allows; remove it',
} as const;
