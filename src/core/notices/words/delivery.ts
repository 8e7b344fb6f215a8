// Why devices get nothing though their traffic is hidden: clauses that follow "Your devices get no answers: ", and what to mend besides.

/** `{chain}` is named as nft names it; `{command}` is to be typed as it is. */
export const deliveryWords = {
  'devices-dropped':
    'a firewall rule of another program on this router drops what they send before it reaches the tunnel; look for it (LuCI → Status → Firewall), or in "nft list ruleset" and "iptables-save"',
  'devices-dropped-by':
    'another program\'s firewall chain "{chain}" on this router, which drops by default, drops what they send before it reaches the tunnel; run "{command}", and again whenever that program has started',
  'answers-dropped':
    'a firewall rule of another program on this router drops what comes back for them; look for it (LuCI → Status → Firewall), or in "nft list ruleset" and "iptables-save"',
  'answers-dropped-by':
    'another program\'s firewall chain "{chain}" on this router, which drops by default, drops what comes back for them; run "{command}", and again whenever that program has started',

  // Follows "Some of what your devices ask for gets no answer: ".
  'redirect-dropped':
    'a redirect on this router takes what they ask the Internet for on port {ports} to a program of the router, which would ask for it past the tunnel, so it is dropped; leave your devices’ network out of that redirect (LuCI → Network → Firewall → Port Forwards, the settings of your proxy, ad blocker or DNS program, or "nft list ruleset")',

  'probe-unanswered':
    'what goes into the tunnel comes back from the endpoint no more; see on the server what "iotshaper status" says, and that no firewall there touches iot0',
  'names-unanswered':
    'names they ask for are not answered; see on the server what "iotshaper status" says, and that no other program answers port 53 there',
  'names-refused':
    'the endpoint can\'t look up the names they ask for; see on the server that "getent hosts openwrt.org" finds an address, else mend its /etc/resolv.conf',

  // These two follow "Your devices wait long or get nothing: ".
  'upload-short':
    'only {percent} % of the packets get through, so the line does not carry {rate} KB/s up; {fits} KB/s would fit: run "{command}"',
  'download-short':
    'only {percent} % of the packets get through, so the line does not carry {rate} KB/s down; {fits} KB/s would fit: run "{command}"',
  'packets-in-pieces':
    'iotshaper.main.packet_size: each packet of {size} bytes leaves in two pieces, which costs more and is lost more often; {fits} bytes would fit the line: run "{command}"',
  'packets-in-pieces-down':
    'iotshaper.main.packet_size: each packet of {size} bytes leaves the endpoint in two pieces, which costs more and is lost more often; {fits} bytes would fit its line: run "{command}"',

  'month-nearly-used':
    'nine tenths of the data that your endpoint’s operator allows this home a month are used, and devices are cut off once all is; choose a lower rate, or ask the operator for more',
  'outer-clock-no-pair':
    'there is no second clock behind OpenVPN, which keeps the schedule on a busy router, too: its kernel has no veth; run "opkg update; opkg install kmod-veth"',
  'outer-clock-no-chain':
    'there is no second clock behind OpenVPN, which keeps the schedule on a busy router, too: its kernel has none of the rules that lead there ({error}); run "opkg update; opkg install kmod-nft-netdev"',
  'outer-clock-failed':
    'there is no second clock behind OpenVPN, which keeps the schedule on a busy router, too ({why})',
  'outer-clock-bypassed':
    'there is no second clock behind OpenVPN, which keeps the schedule on a busy router, too: what OpenVPN sends does not leave by {netdev}, to which the routes to the endpoint lead; see what multi-WAN or VPN packages do with it',

  'endpoint-forwards-nothing':
    'a firewall on the server drops what they send to the Internet; on the server, "iotshaper status" says what to do',
  'endpoint-answers-dropped':
    'a firewall on the server drops what the Internet answers them; on the server, "iotshaper status" says what to do',
  'endpoint-names-dropped':
    'a firewall on the server drops the names they ask for; on the server, "iotshaper status" says what to do',
  'endpoint-resolver-without-port':
    'names they ask for are not answered, since another program on the server has port 53; on the server, "iotshaper status" says which',

  'another-program': 'another program (run "ss -lunp sport = :{port}" to see which)',
} as const;
