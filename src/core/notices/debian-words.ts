// Sentences in OpenWrt's terms, in those of a Debian machine: what to type there, and where a setting is.

const COMMIT = '; uci commit iotshaper; reload_config';

/** In their order; each is tried on the whole text. None brings quotes where there were none: the text may be JSON. */
const replacements: readonly (readonly [RegExp | string, string])[] = [
  [
    new RegExp(
      String.raw`uci add iotshaper (\w+); uci set iotshaper\.@\1\[-1\]\.(\w+)=([^\s;"\\]+)${COMMIT}`,
      'g',
    ),
    'iotshaper add $1 $2=$3',
  ],
  [
    new RegExp(String.raw`uci add_list iotshaper\.([^\s;="]+)=([^\s;"\\]+)${COMMIT}`, 'g'),
    'iotshaper set $1+=$2',
  ],
  [
    new RegExp(String.raw`uci set iotshaper\.([^\s;="]+)=([^\s;"\\]+)(?:${COMMIT})?`, 'g'),
    'iotshaper set $1=$2',
  ],
  [/(?:\/etc\/init\.d\/iotshaper|service iotshaper) (start|stop)/g, 'systemctl $1 iotshaper'],
  ['/etc/init.d/iotshaper reload', 'iotshaper reload'],
  ['logread -e iotshaper', 'journalctl -u iotshaper'],
  ['opkg install tcpdump-mini', 'apt install tcpdump'],
  ['opkg update; opkg install kmod-veth', 'modprobe veth'],
  ['opkg update; opkg install kmod-nft-netdev', 'modprobe nft_fwd_netdev'],
  [' (LuCI → Network → Diagnostics)', ''],
  ['look for it (LuCI → Status → Firewall), or in', 'look for it in'],
  [' (LuCI → Network → Interfaces)', ''],
  [' (LuCI → Network → DHCP and DNS → Static Leases)', ' (dhcp-host= of dnsmasq)'],
  ['LuCI → Network → Firewall → Port Forwards, the settings of', 'the settings of'],
  [' (LuCI → Services → IoT Privacy → Devices)', ' (iotshaper add device mac=…)'],
  [' (LuCI → Services → IoT Privacy → Tunnel)', ' (iotshaper tunnel FILE)'],
  ['LuCI → Services → IoT Privacy → Devices, or run', 'run'],
  [
    'see that "Enable NTP client" is on in LuCI under System → System → Time Synchronization, or set the clock there',
    'run "timedatectl set-ntp true", or set the clock',
  ],
  [
    'set the clock in LuCI under System → System → Time Synchronization',
    'set the clock (timedatectl set-ntp true)',
  ],
  [' (LuCI → System → System)', ' (timedatectl)'],
  [
    'choose the zone again in LuCI under System → System',
    'choose the zone again (timedatectl set-timezone)',
  ],
  ['is kmod-tun installed?', 'is the module tun loaded?'],
];

/** Quotes are as they stand, or as JSON has them. */
export function inDebiansWords(text: string): string {
  let said = text;
  for (const [from, to] of replacements) {
    if (typeof from !== 'string') {
      said = said.replace(from, to);
      continue;
    }
    said = said.replaceAll(from, () => to);
    if (from.includes('"')) said = said.replaceAll(asJson(from), () => asJson(to));
  }
  return said;
}

function asJson(text: string): string {
  return text.replaceAll('"', '\\"');
}
