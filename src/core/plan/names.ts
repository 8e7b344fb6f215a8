// Names and numbers by which everything the service makes is found again: nothing is kept in a state file.
import { packetBounds } from '../stream/stream.ts';

/** The one nftables table (family inet). */
export const TABLE = 'iotshaper';
/** OpenVPN's tun netdev, the one whose queue is shaped. */
export const TUNNEL_NETDEV = 'iotvpn0';
/** One end of a pair whose queue is the clock behind OpenVPN: what OpenVPN sends passes it on its way out. */
export const CLOCK_NETDEV = 'iotclk0';
/** The other end, from which it goes on. */
export const CLOCK_END_NETDEV = 'iotclk1';
/** Netdevs of a home whose names are always the same. */
export const FIXED_NETDEVS = [TUNNEL_NETDEV, CLOCK_NETDEV, CLOCK_END_NETDEV] as const;

/**
 * The two bits of the packet mark that are ours. A mark only chooses the route: others set it whole, so nothing of what
 * keeps a device in trusts it.
 */
export const MARK_MASK = 0x30000000;
/** A device packet that has to go through the tunnel. */
export const MARK_TUNNEL = 0x10000000;
/** A device packet that may leave directly, by the user's wish. */
export const MARK_DIRECT = 0x20000000;

/**
 * Conntrack zone of what devices send to the tunnel. Its address translation applies to nothing else: a connection begun
 * outside it starts over inside, and one begun inside is a new one outside, so that no inner address outlives the service.
 */
export const DEVICE_ZONE = 7213;

/**
 * Low part of the inner address that devices share which can't have one of their own: what no host of a /24 or /64 has
 * (RFC 5453 reserves the second one).
 */
export const SHARED_LOW4 = '0.0.0.255';
export const SHARED_LOW6 = '::fdff:ffff:ffff:ff80';

/** Preference of our rule, ahead of what multi-WAN and VPN packages add (mwan3: 1001 and up); number of our routing table. */
export const RULE_PREFERENCE = 721;
export const ROUTE_TABLE = 7213;
/**
 * The second stop, behind the rule for marked packets: what may leave directly goes on behind it, all else of devices finds
 * the house in a table of its own, and nothing else.
 */
export const DIRECT_PREFERENCE = 722;
export const HOUSE_PREFERENCE = 723;
/** To the kernel a rule without an address is the same as one with an address of the same preference: it would be refused. */
export const ADDRESS_PREFERENCE = 724;
export const PAST_PREFERENCE = 729;
export const HOUSE_TABLE = 7214;
/** Routing protocol by which rules and routes are known as ours, whatever their preference. */
export const ROUTE_PROTOCOL = 73;

/** UDP ports between the tunnel addresses: frames with device data, control messages, cover (RFC 863, discard). */
export const FRAME_PORT = 20460;
export const CONTROL_PORT = 20459;
export const COVER_PORT = 9;
/** Where names are asked for (RFC 1035). */
export const DNS_PORT = 53;

/** Loopback ports between socat and this program: socat sends to the first and listens on the second. */
export const PACKET_PORT = 20461;
export const SOCAT_PORT = 20462;

/** UDP port of the router at which devices' queries for names of the house are answered while they may not leave. */
export const NAMES_PORT = 20463;

/**
 * Bands of the strict-priority leaf, as skb->priority: its low four bits choose (TC_PRIO_INTERACTIVE, TC_PRIO_INTERACTIVE_BULK,
 * TC_PRIO_BULK). The first is for frames that overtake others.
 */
export const AHEAD_PRIORITY = 6;
export const FRAME_PRIORITY = 4;
export const COVER_PRIORITY = 2;

/** Handles on the tunnel netdev. A home's class at the endpoint is 1:HOST, HOST the last byte of its tunnel address. */
export const ROOT_HANDLE = '1:';
export const HOME_CLASS_MINOR = 0x10;
/** Where packets go at the endpoint that have no class: challenges to homes without a stream, else nftables lets none through. */
export const STRAY_CLASS_MINOR = 0xfffe;

/** Handles there; a class has the minor of the stream it belongs to. */
export const CLOCK_HANDLE = '2:';

/** How long devices may go on after the last time everything was seen in place. */
export const ALIVE_SECONDS = 3;

/** MTU OpenVPN is started with; the netdev's own MTU follows packet_size. */
export const TUNNEL_MTU = packetBounds.most;
/** Least packet_size: fits the netdev whatever size other homes have chosen. */
export const SMALLEST_PACKET_BYTES = packetBounds.least;
/** MTU of the netdev that devices' packets take: theirs. */
export const DEVICE_MTU = 1500;

/** Renders a mark or mask the way nft lists it. */
export function hexMark(mark: number): string {
  return `0x${mark.toString(16).padStart(8, '0')}`;
}

/** Has an endpoint’s homes come to the next port that is free. */
export const MOVE_PORT = 'iotshaper endpoint set-port';
