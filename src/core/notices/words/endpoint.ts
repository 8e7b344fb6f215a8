// What an endpoint says of itself and of its homes, in its log and its status.

export const endpointWords = {
  'endpoint-starting': 'OpenVPN is starting.',
  'endpoint-serving': 'Serving {online} of {count} homes.',
  'endpoint-unserving': 'Homes’ devices get no answers: {why}.',
  'endpoint-at': 'endpoint at {host}:{port}, {count} homes',
  'homes-now': 'now {count} homes: {names}',
  'home-connected': 'home {name} connected',
  'home-disconnected': 'home {name} disconnected',
  'home-fault': 'home {name}: {fault}',
  'home-stream-begun': 'the stream to home {name} has only just begun',
  'home-stream-stalls': 'the stream to home {name} stalls',
  'home-without-key':
    'home {name} can\'t be served: it was added by an older version and has no control key; run "iotshaper endpoint remove-home {name}" and "iotshaper endpoint add-home {name}", then upload the new profile on its router',
  'tunnel-netdev-missing': '{netdev} is not there though OpenVPN is up',
  'endpoint-rules-put-back': 'someone removed or changed the rules; they are put back',
  'dnsmasq-stopped':
    "dnsmasq, which answers homes' DNS queries, stopped ({why}); it is started again",
  'conntrack-missing':
    'conntrack is not installed, so connections of homes are remembered until they time out; run "apt install conntrack"',
  'openvpn-stays-root': 'OpenVPN keeps running as root: {folder} is closed to other users',
} as const;
