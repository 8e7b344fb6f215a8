// What an endpoint says of itself and of its homes, in its log and its status.

export const endpointWords = {
  'endpoint-starting': 'OpenVPN is starting.',
  'endpoint-serving': 'Serving {online} of {count} homes.',
  'endpoint-drained': 'Drained: {online} of {count} homes are still here.',
  'endpoint-unserving': 'Homes’ devices get no answers: {why}.',
  'endpoint-at': 'endpoint at {host}:{port}, {count} homes',
  'homes-now': 'now {count} homes: {names}',
  'home-connected': 'home {name} connected',
  'home-disconnected': 'home {name} disconnected',
  'home-sent-on': 'home {name} is sent on to another endpoint',
  'home-stays':
    'home {name} came back, and is served on: no other endpoint that its profile names takes it',
  'home-fault': 'home {name}: {fault}',
  'home-clock-stalls':
    'too little of the stream to home {name} leaves by the second clock behind OpenVPN',
  'home-clock-bypassed':
    'the stream to home {name} has no second clock behind OpenVPN, which keeps the schedule on a busy server, too: what OpenVPN sends there does not leave by {netdev}, to which the routes lead; see what other programs do with it',
  'home-clock-elsewhere':
    'the stream to home {name} has no second clock behind OpenVPN, which keeps the schedule on a busy server, too: it is reached by {netdev}, and the clock of the other homes stands on {other}; let both leave by one network device, or give this home a server of its own',
  'endpoint-clock-failed':
    'streams to homes have no second clock behind OpenVPN, which keeps the schedule on a busy server, too ({why})',
  'home-over-timers':
    'home {name} is refused: {why}; its router has to ask for less, for larger packets, or for mode constant',
  'home-over-limit':
    'home {name} is refused: {why}; "iotshaper endpoint limit" lists what is allowed, and allows more',
  'homes-short':
    'less of their stream leaves than homes asked for, down to {percent} % within a minute, for {names}: this server can’t keep up; see in "top" what else it does, or allow lower rates with "iotshaper endpoint limit"',
  'home-profile-shared':
    'two routers use the profile of home {name} and take the tunnel from each other; give one of them a profile of its own: run "iotshaper endpoint add-home ANOTHER-NAME" here, and upload there what it prints',
  'home-without-key':
    'home {name} can\'t be served: it was added by an older version and has no control key; run "iotshaper endpoint rotate {name}", then upload the new profile on its router',
  'endpoint-replaced':
    'the endpoint in {folder} was removed or made anew, so this service ends: nobody is to be served with keys that are gone',
  'tunnel-netdev-missing': '{netdev} is not there though OpenVPN is up',
  'endpoint-rules-put-back': 'someone removed or changed the rules; they are put back',
  'endpoint-netdev-put-back':
    'someone took {netdev} down or removed an address from it, so homes got nothing; it is put back',
  'endpoint-forwarding-put-back':
    'someone switched off {setting}, so nothing of homes got through this server; it is switched on again',
  'endpoint-left-behind':
    'what the endpoint made on this server could not all be removed ({error}); run "{command}"',
  'dnsmasq-stopped':
    "dnsmasq, which answers homes' DNS queries, stopped ({why}); it is started again",
  'conntrack-missing':
    'conntrack is not installed, so connections of homes are remembered until they time out; run "apt install conntrack"',
  'openvpn-stays-root': 'OpenVPN keeps running as root: {folder} is closed to other users',

  'endpoint-needs': 'Needs attention: {what}.',
  'kernel-without-tun':
    'this server can\'t make tun network devices ({error}); run "modprobe tun" or, where that fails, rent one with a kernel of its own (KVM), or have its provider switch on TUN/TAP',
  'kernel-without-htb':
    'the kernel of this server lacks the HTB queue ({error}); run "modprobe sch_htb", or rent a server with a kernel of its own (KVM)',
  'kernel-without-nft':
    'nftables does not work on this server ({error}); run "apt install nftables", or rent a server with a kernel of its own (KVM)',
  'endpoint-no-internet':
    'this server has no way to the Internet; run "{command}", and see that "ip route" lists a default route then',
  'endpoint-range-taken':
    'the network {prefix} on {netdev} lies in {range}, which homes use inside the tunnel; give {netdev} another network, or run "iotshaper endpoint set-ranges" and give homes their new profiles',
  'endpoint-port-quiet':
    'nothing has come to UDP port {port} of this server for {span}, so no home is there; if one is switched on, let UDP port {port} in in the firewall that the hosting provider has in front of this server (in its control panel), and see that the home’s profile names this server',
  'endpoint-port-closed':
    'a firewall on this server drops what comes to UDP port {port} over {family}, so no home reaches it; run "{command}"',

  'resolver-port-taken':
    'names they ask for are not answered, since {holder} has port 53 on {address}, where dnsmasq ought to answer homes; run "{command}", or have that program listen on other addresses alone; dnsmasq takes the port as soon as it is free',
  'resolver-not-listening':
    'names they ask for are not answered, since dnsmasq does not listen on {address}; it is started again; the log tells what it says',
  'homes-dropped':
    'what homes send to the Internet does not leave this server, since a firewall rule drops it or "ip route" lists no default route; for the first, run "{command}"',
  'homes-dropped-by':
    'another program\'s firewall chain "{chain}", which drops by default, drops what homes send to the Internet; run "{command}", and see that it is run again whenever that program has started',
  'homes-answers-dropped':
    'a firewall rule of another program drops what the Internet answers homes; run "{command}"',
  'homes-answers-dropped-by':
    'another program\'s firewall chain "{chain}", which drops by default, drops what the Internet answers homes; run "{command}", and see that it is run again whenever that program has started',
  'homes-names-dropped': 'a firewall rule drops the names that homes ask for; run "{command}"',
  'homes-names-dropped-by':
    'the firewall chain "{chain}", which drops by default, drops the names that homes ask for; run "{command}", and see that it is run again whenever that firewall has started',
  'homes-unheard':
    'a firewall rule drops what homes say inside the tunnel, so none is served; run "{command}"',
  'homes-unheard-by':
    'the firewall chain "{chain}", which drops by default, drops what homes say inside the tunnel, so none is served; run "{command}", and see that it is run again whenever that firewall has started',
} as const;
