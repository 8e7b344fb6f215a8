// What keeps devices from sending: clauses that follow "Not protected: ", but for those of processes, which follow a name.

export const faultWords = {
  'tunnel-down': 'the tunnel to the endpoint is down',
  'tunnel-connecting': 'the tunnel to the endpoint is being set up',

  'endpoint-not-answered': 'the endpoint has not answered yet',
  'endpoint-silent': 'the endpoint no longer answers',
  'endpoint-stream-stopped': 'the endpoint stopped sending its stream',
  'endpoint-stream-thin':
    'less than half of the endpoint’s stream of {rate} KB/s comes; where your line does not carry that, try {fits} KB/s: run "{command}"',
  // Why the endpoint serves nothing: `{why}` of both, and of the endpoint's own log.
  refused:
    'your endpoint’s operator refuses this home: {why}; choose a lower rate: run "{command}", or ask the operator for more',
  'refused-wait': 'your endpoint’s operator refuses this home: {why}; ask the operator for more',
  'limit-down': '{allowed} KB/s down are allowed, and {asked} are asked for',
  'limit-up': '{allowed} KB/s up are allowed, and {asked} come',
  'limit-timers':
    'above {allowed} KB/s down the server’s timers blur the intervals of mode vit, and {asked} are asked for',
  'limit-slots': '{allowed} packets a second each way are allowed, and {asked} are asked for',
  'limit-full':
    'the server has room for {allowed} of its packets a second, and {asked} are asked for',
  'limit-month':
    'the {allowed} GB of this month are used up, and the next month begins on the first at 0:00 UTC',
  'limit-other': 'for a reason that this version does not know',

  'endpoint-stream-begun': 'the endpoint’s stream has only just begun',

  'profile-shared':
    'another router uses the profile of this one, and the two take the tunnel from each other; give one of them a profile of its own: on the server, run "iotshaper endpoint add-home ANOTHER-NAME", and upload there what it prints (LuCI → Services → IoT Privacy → Tunnel)',

  'size-lost':
    'packets of {size} bytes are lost on the way to the endpoint or back, while packets of {fits} bytes pass; run "{command}"',

  'stream-begun': 'the stream to the endpoint has only just begun',
  'stream-stalls': 'the stream to the endpoint stalls',
  'stream-thin':
    'less than half of the stream of {rate} KB/s leaves; where your line does not carry that, try {fits} KB/s: run "{command}"',
  'stream-too-fast': 'packets leave faster than the schedule',

  'queue-not-looked-at': 'the queue that keeps the schedule was not looked at yet',
  'queue-unread': 'the queue that keeps the schedule can’t be read',
  'queue-replaced': 'the queue that keeps the schedule was replaced by {kind}',
  'queue-class-foreign': 'the queue has a class {class} that is not ours',
  'queue-class-missing': 'the queue’s class {class} is missing',
  'queue-priorities-changed': 'the priorities in the queue’s class {class} were changed',
  'outer-clock-gone':
    'the second clock, which keeps the schedule behind OpenVPN, is gone or was changed',
  'rules-changed': 'the rules that guard the tunnel were changed',

  'sent-astray':
    'a rule or route of another program sends devices past the tunnel, where they are stopped; look at "ip rule", "nft list ruleset" and multi-WAN or VPN packages for what takes in your devices’ network',
  'route-elsewhere':
    'a routing rule of another program comes before iot-shaper\'s and sends devices to {netdev}; see "ip rule" for one of a preference below {preference}, and move or remove it',

  'cover-unbounded': 'cover leaves faster than the rate: nothing holds it back',
  'cover-unsent': "empty packets can't be sent ({error})",
  'tunnel-netdev-gone': 'the tunnel’s network device is gone or lost its address',
  'shaping-thread-failed': 'the shaping thread failed: {error}',
  'shaping-thread-ended': 'the shaping thread ended',
  'shaping-thread-silent': 'the shaping thread does not answer',

  'inside-range-taken':
    'the network {prefix} on {netdev} lies in {range}, which is used inside the tunnel; give {netdev} another network (LuCI → Network → Interfaces), or make the endpoint anew with "iotshaper endpoint init --avoid {prefix} …" and add this home to it again',

  'openvpn-stopped': 'OpenVPN stopped ({why}); it is started again',
  'socat-stopped': 'socat, which holds {netdev}, stopped ({why})',
  'process-signalled': 'ended by {signal}',
  'process-exit-status': 'exit status {status}',
  'netdev-not-appeared': '{netdev} did not appear; is kmod-tun installed?',
  'port-taken': 'UDP port {port} on loopback is taken: is another iotshaper running?',

  'command-failed': '{command}: {error}',
  'command-exit-status': '{command}: exit status {status}',
  // What the system or another program says, for which there are no words of ours.
  'unexpected-error': '{error}',
} as const;
