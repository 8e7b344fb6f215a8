// What is found in the home while it is watched: networks, neighbours, devices, other programs' settings, the clock.

/** `{doubt}`, `{port}` and `{lower}` are clauses on a netdev that stand further down; `{command}` is to be typed as it is. */
export const homeWords = {
  'network-leads-out':
    '{path}: "{netdev}" leads to the Internet, so no device is behind it; name the network device your devices are behind, such as br-lan',
  'network-gone':
    '{path}: "{netdev}" is no network device now, so nobody knows whose traffic to hide; name the one your devices are behind now, or remove this section',
  'network-gone-heir-addresses':
    '{path}: "{netdev}" is no network device now, so nobody knows whose traffic to hide; {heir} has its addresses: if your devices are behind {heir} now, run "{command}"',
  'network-gone-heir-bridge':
    '{path}: "{netdev}" is no network device now, so nobody knows whose traffic to hide; there is {heir}: if your devices are behind {heir} now, run "{command}"',
  'network-is-port':
    '{path}: "{netdev}" is a port of {master}, so its devices come in by {master}; to choose all behind {master}, run "{command}", or choose the devices one by one',
  'network-doubtful':
    "{path}: {doubt}; what devices send there shows on the provider's line, so take it out of this network",

  'house-leads-out':
    '{netdev} is in iotshaper.main.house, but it leads to the Internet, so it is not taken for a part of your home',
  'house-not-there': '{netdev} is in iotshaper.main.house, but there is no such network device now',
  'netdev-left-out':
    '{doubt}, so devices do not reach what is behind it; if that is in your home, run "{command}"',

  'carries-uplink': '{netdev} carries the connection to your provider',
  'public-alone': '{netdev} has public addresses alone, as a provider gives them',
  'may-lead-out': '{netdev} may lead out of your home, as a VPN does',
  'has-port': '{netdev} has the port {port}',
  'lies-over': '{netdev} lies over {lower}',
  'lies-over-unseen':
    '{netdev} lies over another that cannot be seen from here, which may lead out of your home, as a VPN does',
  'which-may-lead-out': '{netdev}, which may lead out of your home, as a VPN does',
  'which-has-port': '{netdev}, which has the port {port}',
  'which-lies-over': '{netdev}, which lies over {lower}',
  'which-lies-over-unseen':
    '{netdev}, which lies over another that cannot be seen from here, which may lead out of your home, as a VPN does',
  'of-unknown-kind': '{netdev} (of no known kind)',

  'chosen-by-address':
    'iotshaper.{section}.ip: {name} is chosen by its address, which its next lease may change; give it a fixed one (LuCI → Network → DHCP and DNS → Static Leases), or choose the whole network it is in',
  'chosen-by-address-on':
    'iotshaper.{section}.ip: {name} is chosen by its address, which its next lease may change; give it a fixed one (LuCI → Network → DHCP and DNS → Static Leases), or choose all behind {netdev}: run "{command}"',
  'chosen-singly':
    'iotshaper: single devices are chosen on {netdev} ({names}), and one that changes its hardware address may be lost sight of; where all behind {netdev} may be hidden, run "{command}"',
  'inner-addresses-shared':
    'iotshaper: more than {most} devices have sent something within the last hour; what they send is hidden all the same, but {names} share one queue, and no bytes are shown for them; to tell all apart, choose fewer devices, or put some behind a router with a profile of its own',
  'device-missing':
    'iotshaper.{section}: {name} has not been seen {since} while {others}; if one of them is it, choose it again (LuCI → Services → IoT Privacy → Devices)',
  'seen-before': 'for {span}',
  'never-seen': 'since the service started {span} ago',
  'one-stranger': 'a device you did not choose uses {netdevs}',
  'several-strangers': '{count} devices you did not choose use {netdevs}',
  'resolver-outside':
    'iotshaper: {host} asks the Internet for names past the tunnel; if your devices ask it for theirs, your provider sees which and when, so choose it too: LuCI → Services → IoT Privacy → Devices, or run "{command}"',

  'flow-offloading-on':
    '{path}: is on, so a connection that was offloaded before its device was chosen may go on past the tunnel; switch it off (LuCI → Network → Firewall → Routing/NAT Offloading), or run "{command}", or restart the devices you choose',
  'auto-includes-off':
    '{path}: is off, so the firewall does not read /usr/share/nftables.d and keeps devices out of the tunnel; run "{command}"',

  'firewall-zone-without':
    '{path}: does not name {netdev}, which devices’ packets take, so the firewall rejects them; add it to the zone’s covered devices (LuCI → Network → Firewall → Zones → Edit → Advanced Settings), or run "{command}"',

  'firewall-forwards-elsewhere':
    '{path}: devices’ zone {from} may go out by zone {to} alone, but their packets take {netdev} now, which is in another zone, so the firewall rejects them; run "{command}"',

  'nothing-to-mend': 'there is nothing to mend any more',
  'not-mended': 'that could not be done: {error}',

  'clock-unset':
    'the router’s clock is not set yet, so schedules wait and the main rate holds; see that "Enable NTP client" is on in LuCI under System → System → Time Synchronization, or set the clock there',
  'time-zone-unread':
    'the time zone {zone} of {place} is not one such as "CET-1CEST,M3.5.0,M10.5.0/3", so schedules follow UTC; choose the zone again in LuCI under System → System',
  'environment-variable': 'the environment',

  'list-and': '{first} and {last}',
  'list-and-more': '{first} and {count} more',
  'list-or': '{first} or {last}',
  'span-minutes': '{count} minutes',
  'span-hour': '1 hour',
  'span-hours': '{count} hours',
  'span-days': '{count} days',
} as const;
