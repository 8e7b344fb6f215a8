// Why a tunnel is not set up, and what becomes of a profile that is to replace one that works.

/** Clauses that follow `tunnel-failing` or `profile-not-used`; `{line}`, `{error}` and `{why}` of these are OpenVPN's own words. */
export const tunnelWords = {
  'tunnel-failing': "the tunnel to the endpoint can't be set up: {why}",

  'endpoint-name-unresolved':
    "the endpoint's name {host} can't be found; see whether the router has Internet and DNS (LuCI → Network → Diagnostics), and whether the name in the profile is right",
  'endpoint-refuses':
    'nothing listens at that address and port of the endpoint; on the server, run "systemctl restart iotshaper-endpoint", and see that the profile names its address and port',
  'endpoint-mute':
    'nothing answers at {place} over UDP; see that the server runs and that the profile names its address and port; on the server, run "iotshaper endpoint doctor", and where that finds nothing, let UDP port {port} in in the firewall that the hosting provider has in front of it',
  'endpoint-mute-alive':
    'nothing answers at {place} over UDP, though the server there answers otherwise, so a firewall stops it; on the server, run "iotshaper endpoint doctor", and where that finds nothing, let UDP port {port} in in the firewall that the hosting provider has in front of it',
  'endpoint-mute-online':
    'nothing answers at {place} over UDP, though the Internet works here; see that the server runs; on it, run "iotshaper endpoint doctor", and where that finds nothing, let UDP port {port} in in the firewall that the hosting provider has in front of it',
  'internet-mute':
    'nothing answers at {place} over UDP, and nobody else on the Internet answers either; see that your line works (LuCI → Network → Diagnostics)',
  'unnamed-place': 'the address and port that the profile names',
  'unnamed-port': 'that the profile names',
  'endpoint-unreachable':
    "there is no way to the endpoint's address; see that the server runs and that the profile names its address",
  'internet-missing': 'the router has no way to the Internet now',
  'family-missing':
    'the router has no address of the kind the profile names the endpoint by; name it by a host name or an IPv4 address',
  'fingerprint-other':
    'another than the endpoint of this profile answers: its fingerprint differs; if the endpoint was made anew, upload the profile that its add-home printed',
  'certificate-not-yet':
    "the endpoint's certificate is not valid yet by the router's clock; set the clock in LuCI under System → System → Time Synchronization",
  'certificate-expired':
    "the endpoint's certificate has expired by the router's clock; see that the clock is right (LuCI → System → System), else make the endpoint a new certificate",
  'certificate-of-other-name':
    "the endpoint's certificate has another name than verify-x509-name of the profile",
  'certificate-no-server':
    "the endpoint's certificate is not one of a TLS server (extendedKeyUsage serverAuth); use <peer-fingerprint> in place of <ca>",
  'certificate-unproved':
    "no <ca> of the profile vouches for the endpoint's certificate ({error}); upload the profile that the endpoint's add-home printed",
  'ciphers-not-shared':
    'endpoint and profile share no cipher; leave data-ciphers out of the profile',
  'tls-versions-differ': 'endpoint and router share no version of TLS; update the endpoint',
  'home-refused':
    'the endpoint refuses this home; on the server, see "iotshaper endpoint list", and upload the profile that add-home printed',
  'home-refused-why':
    'the endpoint refuses this home ({why}); on the server, see "iotshaper endpoint list", and upload the profile that add-home printed',
  'home-unanswered':
    'the endpoint answers, but does not let this home in; on the server, see whether "iotshaper endpoint list" has it: a home that was removed or added anew needs the profile that add-home printed last',
  'openvpn-says': 'OpenVPN says "{line}"',

  'profile-on-trial':
    'the new profile is tried beside the one in use, which stays in use until the new one connects',
  'profile-not-used':
    'the new profile is not used, and the one before it stays in use: {why}; mend it and upload it again, or run "/etc/init.d/iotshaper reload" to have it tried again',
  'profile-not-answered':
    'the new profile connects; unless the endpoint answers inside the tunnel soon, the one before it comes back',
  'profile-adopted': 'the new profile works, and is used from now on',
  'profile-proved-unkept': "a copy of the profile that works can't be kept: {error}",
  'profile-unkept': "the new profile can't be put in the place of the one before it: {error}",
  'trial-unanswered':
    'it connects, but within {seconds} seconds the endpoint answered nothing inside the tunnel, as where the control key is that of another home; upload the profile that add-home printed, whole',
  'trial-unfinished': 'it did not connect within {seconds} seconds',

  // What an endpoint says, too, or alone, by what it has in common with a home.
  'home-stream-begun': 'the stream to home {name} has only just begun',
  'home-stream-stalls': 'the stream to home {name} stalls',
  'endpoint-clock-no-pair':
    'streams to homes have no second clock behind OpenVPN, which keeps the schedule on a busy server, too: its kernel has no veth; run "modprobe veth" or, where that fails, rent one with a kernel of its own (KVM)',
  'endpoint-clock-no-chain':
    'streams to homes have no second clock behind OpenVPN, which keeps the schedule on a busy server, too: its kernel or its nft has none of the rules that lead there ({error}); they take Linux 5.16 and nftables 1.0.1, which Debian has from 12 on',
  'endpoint-port-taken':
    'UDP port {port} is taken by {program}; run "{command}", or "iotshaper endpoint set-port" to have homes come to another port',
} as const;
