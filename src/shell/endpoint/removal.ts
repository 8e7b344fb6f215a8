// Takes away what an endpoint made: what can't be removed stops nothing of the rest, and is named with what removes it.
import { join } from 'node:path';
import { notice } from '../../core/endpoint/notice.ts';
import { NoticeError, noticeOfError } from '../../core/notices/notice-error.ts';
import type { InsideRanges } from '../../core/plan/facts.ts';
import { CLOCK_NETDEV, HOUSE_TABLE, ROUTE_PROTOCOL, TABLE } from '../../core/plan/names.ts';
import { CLOCK_TABLE } from '../../core/plan/outer-clock.ts';
import { forgetConnections } from '../network/connections.ts';
import { removeEndpointRoutes } from '../network/routing.ts';
import type { Rules } from '../network/rules.ts';
import type { Sysctls } from '../network/sysctls.ts';
import type { OpenVpn } from '../openvpn/openvpn.ts';
import type { ClockOfHomes } from '../shaper/homes-clock.ts';
import type { Shaper } from '../shaper/shaper.ts';
import type { System } from '../system/system.ts';
import type { PacketPort } from '../tunnel/packet-port.ts';
import type { Resolver } from './resolver.ts';

/** One thing that was made. */
interface RemovalStep {
  work: () => Promise<unknown>;
  /** Commands that remove it by hand; asked for once it could not be. */
  byHand: () => readonly string[];
}

/** What was removed once is not removed again. */
export interface Removal {
  /**
   * Resolves with whether there was a program to forget connections with.
   *
   * @throws {NoticeError} with what is left behind; the next call tries that again.
   */
  run(): Promise<boolean>;
}

/** All that an endpoint makes on its machine. */
export interface Made {
  runDir: string;
  clientConfigDir: string;
  inside: InsideRanges;
  openvpn: OpenVpn;
  shaper: Shaper;
  clock: Pick<ClockOfHomes, 'remove'>;
  resolver: Pick<Resolver, 'stop'>;
  port: PacketPort | null;
  rules: Rules;
  sysctls: Sysctls;
}

/** Ends and removes all of it, in the order that never opens a gap. */
export function planRemoval(system: System, made: Made): Removal {
  const { runDir, clientConfigDir, inside, openvpn, shaper, clock, rules, sysctls } = made;
  const files = [join(runDir, 'openvpn.conf'), join(runDir, 'openvpn.sock')];
  let hasForgotten = true;
  /** They end with this process. */
  const child = (work: () => unknown): RemovalStep => ({
    work: async () => work(),
    byHand: () => [],
  });
  let left: readonly RemovalStep[] = [
    { work: () => openvpn.stop(), byHand: () => [`rm -f ${files.join(' ')}`] },
    {
      work: () => system.files.remove(clientConfigDir),
      byHand: () => [`rm -rf ${clientConfigDir}`],
    },
    child(() => shaper.stop()),
    child(() => made.resolver.stop()),
    child(() => made.port?.close()),
    {
      work: () => clock.remove(),
      byHand: () => [`nft delete table ${CLOCK_TABLE}`, `ip link del ${CLOCK_NETDEV}`],
    },
    { work: () => rules.release(true), byHand: () => [`nft delete table inet ${TABLE}`] },
    {
      work: async () => {
        hasForgotten = await forgetConnections(system, inside);
      },
      byHand: () => [`conntrack -D -s ${inside.inner4}`],
    },
    {
      work: () => removeEndpointRoutes(system),
      byHand: () =>
        ['ip', 'ip -6'].flatMap((ip) => [
          `${ip} rule flush protocol ${ROUTE_PROTOCOL}`,
          `${ip} route flush table ${HOUSE_TABLE}`,
          `${ip} route flush table main proto ${ROUTE_PROTOCOL}`,
        ]),
    },
    { work: () => sysctls.restore(), byHand: () => sysctls.byHand() },
  ];
  return {
    run: async () => {
      const failed: { step: RemovalStep; error: unknown }[] = [];
      for (const step of left)
        await step.work().catch((error: unknown) => failed.push({ step, error }));
      left = failed.map(({ step }) => step);
      const [first] = failed;
      if (!first) return hasForgotten;
      const command = left.flatMap(({ byHand }) => byHand()).join('; ');
      const error = noticeOfError(first.error);
      throw new NoticeError(notice('endpoint-left-behind', { error, command }));
    },
  };
}
