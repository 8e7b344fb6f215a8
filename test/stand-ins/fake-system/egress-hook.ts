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

type Sent = Pick<Packet, 'destination' | 'port' | 'bytes'>;

const SOMETHING: Packet = {
  ...{ family: 'ip', iifname: '', oifname: '', source: '', originalSource: '', destination: '' },
  ...{ mac: '', protocol: 'udp', port: 0, bytes: 0, uid: 0, destinationType: 'unicast' },
  ...{ mark: 0, zone: 0, priority: 0 },
};

/** Netdev that the rules of a hook lead a packet to; null for none, undefined where there is no such chain. */
function leadsTo(
  nft: NftModel,
  hook: string,
  netdev: string,
  sent: Sent,
): string | null | undefined {
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
      for (const rule of rules) {
        const verdict = compileRule(rule).judge({ ...SOMETHING, ...sent }, context);
        if (verdict?.kind === 'fwd') return verdict.netdev;
      }
      return null;
    }
  }
  return undefined;
}

/** Netdev at which a packet that leaves by another one is held by rules; null where it leaves as it is. */
export function clockOf(nft: NftModel, way: string, destination: string): string | null {
  return leadsTo(nft, 'egress', way, { destination, port: 1194, bytes: 0 }) ?? null;
}

/**
 * Takes a packet through what stands at its way out.
 *
 * @returns whether it leaves in the end.
 */
export function passHook({ nft, ip, tc }: Models, way: string, sent: Sent): boolean {
  const first = leadsTo(nft, 'egress', way, sent);
  if (first == null) return true;
  const netdev = ip.netdevs.get(first);
  if (!netdev?.isUp || !netdev.peer || !ip.netdevs.get(netdev.peer)?.isUp) return false;
  tc.queueOf(first)!.pass(sent.bytes);
  return leadsTo(nft, 'ingress', netdev.peer, sent) === way;
}
