// What an endpoint's machine does, a part at a time, and in which order.

/** The one thing that is done at a time. */
export type Part =
  | 'remove'
  | 'restore'
  | 'look'
  | 'connect'
  | 'homes'
  | 'user'
  | 'ipv6'
  | 'near'
  | 'inside'
  | 'tunnel'
  | 'index'
  | 'places'
  | 'queue'
  | 'clock'
  | 'chains'
  | 'rules'
  | 'forward'
  | 'port'
  | 'netdev'
  | 'resolver'
  | 'control'
  | 'streams'
  | 'clients'
  | 'openvpn'
  | 'suspects'
  | 'connections';

/**
 * What comes first where several are to be done. A home's class is there before the rules let anything into it, and
 * nobody hears homes before there is a queue that holds the answer back.
 */
export const PART_ORDER: readonly Part[] = [
  ...([
    'remove',
    'restore',
    'look',
    'connect',
    'homes',
    'connections',
    'user',
    'ipv6',
    'near',
    'inside',
  ] as const),
  ...(['tunnel', 'index', 'places', 'queue', 'chains', 'clock', 'rules'] as const),
  ...(['forward', 'port', 'netdev', 'resolver', 'control'] as const),
  ...(['streams', 'clients', 'openvpn', 'suspects'] as const),
];

/** What follows from the homes that are there. */
export const STREAM_PARTS: readonly Part[] = [
  ...(['index', 'places', 'queue', 'clock', 'rules', 'control', 'streams'] as const),
];

/** Everything that an endpoint is made of. */
export const WHOLE: readonly Part[] = [
  ...(['user', 'ipv6', 'near', 'inside', 'forward', 'port', 'resolver'] as const),
  ...STREAM_PARTS,
  ...(['clients', 'openvpn'] as const),
];
