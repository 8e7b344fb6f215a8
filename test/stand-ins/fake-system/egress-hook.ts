// What nftables does with a packet at a netdev's way out and in, as far as it is led on by another netdev.
import type { IpModel } from './ip-model.ts';
import type { NftModel } from './nft-model.ts';
import { compileRule, type Packet, type RuleContext } from './nft-rule.ts';
import type { TcModel } from './tc-model.ts';

interface Models {
  nft: NftModel;
  ip: IpModel;
  tc: TcModel;
}

type Sent = Pick<Packet, 'destination' | 'port' | 'bytes'> & { uid?: number };

/** Where a packet is led, with the class that is said of it. */
export interface Led {
  netdev: string;
  priority: number;
}

const SOMETHING: Packet = {
  ...{ family: 'ip', iifname: '', oifname: '', source: '', originalSource: '', destination: '' },
  ...{ mac: '', protocol: 'udp', port: 0, bytes: 0, uid: 0, destinationType: 'unicast' },
  ...{ mark: 0, zone: 0, priority: 0 },
};

/** Where the rules of a hook lead a packet; null for nowhere, undefined where there is no such chain. */
function leadsTo(nft: NftModel, hook: string, netdev: string, sent: Sent): Led | null | undefined {
  for (const { chains, counters } of nft.tables.values()) {
    for (const { base, rules } of chains.values()) {
      if (base?.hook !== hook || base.device !== netdev) continue;
      const context: RuleContext = {
        ...{ holds: () => false, find: () => null, note: () => {} },
        count: (name) => {
          const counter = counters.get(name);
          if (counter) counter.packets++;
        },
      };
      const packet = { ...SOMETHING, ...sent };
      for (const rule of rules) {
        const verdict = compileRule(rule).judge(packet, context);
        if (verdict?.kind === 'fwd') return { netdev: verdict.netdev, priority: packet.priority };
        if (verdict) break;
      }
      return null;
    }
  }
  return undefined;
}

/** Netdev at which a packet that leaves by another one is held by rules; null where it leaves as it is. */
export function clockOf(nft: NftModel, way: string, destination: string): string | null {
  return leadsTo(nft, 'egress', way, { destination, port: 1194, bytes: 0 })?.netdev ?? null;
}

/** Where a datagram to this machine itself is led; null where it stays there. */
export function ledFromLoopback(nft: NftModel, sent: Sent): Led | null {
  return leadsTo(nft, 'egress', 'lo', sent) ?? null;
}

/**
 * Takes a packet through what stands at its way out.
 *
 * @returns whether it leaves in the end.
 */
export function passHook({ nft, ip, tc }: Models, way: string, sent: Sent): boolean {
  const first = leadsTo(nft, 'egress', way, sent);
  if (first == null) return true;
  const netdev = ip.netdevs.get(first.netdev);
  if (!netdev?.isUp || !netdev.peer || !ip.netdevs.get(netdev.peer)?.isUp) return false;
  tc.queueOf(first.netdev)!.pass(sent.bytes);
  return leadsTo(nft, 'ingress', netdev.peer, sent)?.netdev === way;
}
