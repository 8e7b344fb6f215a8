// The endpoint's datapath: brings rules, netdevs, queue and streams to the connected homes.
import { type Notice, notice } from '../../core/notices/notice.ts';
import { NoticeError, noticeOfError } from '../../core/notices/notice-error.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { EndpointFacts, InnerNetwork, InsideRanges } from '../../core/plan/facts.ts';
import { planInsideRoutes } from '../../core/plan/inside.ts';
import {
  DEVICE_MTU,
  SMALLEST_PACKET_BYTES,
  TUNNEL_MTU,
  TUNNEL_NETDEV,
} from '../../core/plan/names.ts';
import { renderAlive } from '../../core/plan/nft-alive.ts';
import {
  ENDPOINT_TEXT_SETS,
  INNER_NETDEV,
  innerPrefix4,
  innerPrefix6,
  insideRanges,
  renderEndpointNft,
  resolver4,
  resolver6,
} from '../../core/plan/nft-endpoint.ts';
import {
  queueLimit,
  renderClassAdd,
  renderClassRemove,
  type SlotClass,
} from '../../core/plan/tc.ts';
import { forgetConnections } from '../network/connections.ts';
import { ipJson } from '../network/ip-json.ts';
import { netdevIndex, readSysctl, setLink, writeSysctl } from '../network/netdev.ts';
import { changeQueue, rebuildQueue } from '../network/queue.ts';
import { applyInsideRoutes } from '../network/routing.ts';
import { Rules } from '../network/rules.ts';
import { Sysctls } from '../network/sysctls.ts';
import type { ShaperReport } from '../shaper/messages.ts';
import { Shaper } from '../shaper/shaper.ts';
import type { SupervisedChild } from '../system/child.ts';
import { endLeftovers } from '../system/leftovers.ts';
import type { Log } from '../system/log.ts';
import { readPlainUser } from '../system/plain-user.ts';
import type { Serial } from '../system/serial.ts';
import type { System } from '../system/system.ts';
import { isSocatOf, PacketPort } from '../tunnel/packet-port.ts';
import type { HomeSession } from './home-session.ts';
import { resolverArgv, startResolver } from './resolver.ts';
import type { EndpointIdentity, StoredHome } from './store.ts';

const DEVICE_QUEUE_PACKETS = 1000;

export interface EndpointDatapathOptions {
  system: System;
  identity: EndpointIdentity;
  log: Log;
  /** Orders what this does on its own accord with what the service asks for. */
  serial: Serial;
  onReport: (report: ShaperReport) => void;
  /** `minor` 0 stands for all homes. */
  onFault: (minor: number, fault: Notice) => void;
  onPacket: (packet: Uint8Array) => void;
}

/** Everything the endpoint makes on its machine but OpenVPN. */
export class EndpointDatapath {
  readonly #options: EndpointDatapathOptions;
  readonly #system: System;
  readonly #shaper: Shaper;
  readonly #port: PacketPort;
  readonly #classes = new Map<number, SlotClass>();
  readonly #sysctls: Sysctls;
  #resolver: SupervisedChild | null = null;
  #queue: { index: number; limit: number } | null = null;
  readonly #rules: Rules;
  #open: readonly HomeSession[] = [];
  /** Whether the endpoint has IPv6 to give. */
  ipv6 = false;

  constructor(options: EndpointDatapathOptions) {
    this.#options = options;
    this.#system = options.system;
    this.#sysctls = new Sysctls(options.system);
    this.#rules = new Rules(
      options.system,
      ENDPOINT_TEXT_SETS,
      () => void options.serial.run(() => this.#restoreRules()).catch(() => {}), // the next tick tells
    );
    this.#shaper = new Shaper({
      system: options.system,
      onReport: options.onReport,
      onFault: options.onFault,
    });
    this.#port = new PacketPort({
      system: options.system,
      netdev: INNER_NETDEV,
      onPacket: options.onPacket,
      onUp: () =>
        void options.serial
          .run(() => this.#configureNetdev())
          .catch((error) => options.onFault(0, noticeOfError(error))),
      onFault: (fault) => options.log('warning', wordsOf(fault)),
    });
  }

  /** Minors of the classes that ought to be there. */
  get minors(): number[] {
    return [...this.#classes.keys()];
  }

  async start(homes: readonly StoredHome[]): Promise<void> {
    const addresses = this.#resolverAddresses();
    const resolver = resolverArgv(INNER_NETDEV, addresses).join(' ');
    await endLeftovers(
      this.#system,
      (argv) => isSocatOf(INNER_NETDEV, argv) || argv.join(' ') === resolver,
    );
    this.ipv6 = (await this.#ip('-6', 'route', 'show', 'default')).trim() !== '';
    await applyInsideRoutes(this.#system, planInsideRoutes(this.#inside()));
    await this.#applyRules(homes, []);
    await this.#forward();
    await this.#port.open(await readPlainUser(this.#system));
    this.#resolver = startResolver(this.#system, INNER_NETDEV, addresses, this.#options.log);
  }

  async stop(): Promise<void> {
    await this.#shaper.stop();
    await this.#resolver?.stop();
    await this.#port.close();
    await this.#rules.release(true);
    const forgotten = await forgetConnections(this.#system, this.#inside());
    if (!forgotten) this.#options.log('warning', wordsOf(notice('conntrack-missing')));
    await applyInsideRoutes(this.#system, []);
    await this.#sysctls.restore();
  }

  #inside(): InsideRanges {
    return insideRanges({
      ...this.#options.identity,
      innerNet6: this.ipv6 ? this.#options.identity.innerNet6 : null,
    });
  }

  /** Hands one packet of a home's device to the Internet side. */
  send(packet: Uint8Array): void {
    this.#port.send(packet);
  }

  /** Where a home's devices appear. */
  inner(host: number): InnerNetwork {
    const facts = this.#facts([], []);
    return {
      prefix4: innerPrefix4(facts, host),
      prefix6: innerPrefix6(facts, host),
      resolver4: resolver4(facts),
      resolver6: resolver6(facts),
    };
  }

  /**
   * After OpenVPN came up: whether its netdev is another than before, whose addresses and queue are void.
   *
   * @throws Error when there is none.
   */
  async noteTunnel(): Promise<boolean> {
    const index = await netdevIndex(this.#system, TUNNEL_NETDEV);
    if (index === null) {
      throw new NoticeError(notice('tunnel-netdev-missing', { netdev: TUNNEL_NETDEV }));
    }
    await writeSysctl(this.#system, `net/ipv6/conf/${TUNNEL_NETDEV}/disable_ipv6`, '1');
    if (this.#queue?.index === index) return false;
    this.#classes.clear();
    this.#queue = null;
    return true;
  }

  /** Brings rules, classes and streams to the connected homes; `fresh` makes the queue again. */
  async apply(
    homes: readonly StoredHome[],
    sessions: readonly HomeSession[],
    fresh: boolean,
  ): Promise<void> {
    const index = await netdevIndex(this.#system, TUNNEL_NETDEV);
    if (index === null) return;
    const wanted = sessions.map(
      ({ host, shape, peer }): SlotClass => ({ minor: host, shape, destination: peer }),
    );
    const shapes = wanted.map(({ shape }) => shape);
    const limit = queueLimit(shapes);
    const isRebuilt = fresh || this.#queue?.index !== index || this.#queue.limit < limit;
    const mtu =
      shapes.length === 0
        ? TUNNEL_MTU
        : Math.max(SMALLEST_PACKET_BYTES, ...shapes.map(({ packetBytes }) => packetBytes));
    await setLink(this.#system, TUNNEL_NETDEV, mtu, Math.max(limit, this.#queue?.limit ?? 0));
    if (isRebuilt) {
      // For a moment nothing holds packets back: nobody may send then.
      for (const { link } of sessions) link.setOpen(false);
      await this.#shaper.pause();
      await rebuildQueue(this.#system, wanted);
      this.#queue = { index, limit };
      this.#classes.clear();
    } else await this.#changeClasses(wanted);
    for (const slot of wanted) this.#classes.set(slot.minor, slot);
    await this.#applyRules(homes, sessions);
    await this.#shaper.apply(
      sessions.map(({ host, shape, local, peer }) => ({ minor: host, shape, local, peer })),
      isRebuilt,
    );
    for (const { link, isOpen } of sessions) link.setOpen(isOpen);
  }

  /** Lets frames to the open ones of these homes leave for some seconds more; puts rules back that were removed. */
  async extend(sessions: readonly HomeSession[]): Promise<void> {
    this.#open = sessions;
    if (!(await this.#rules.isIntact(permit(sessions)))) await this.#restoreRules();
  }

  async #restoreRules(): Promise<void> {
    if (await this.#rules.isIntact()) return;
    this.#options.log('warning', wordsOf(notice('endpoint-rules-put-back')));
    await this.#rules.restore(permit(this.#open));
  }

  async #changeClasses(wanted: readonly SlotClass[]): Promise<void> {
    const stays = new Set(wanted.map(({ minor }) => minor));
    const gone = [...this.#classes.values()].filter(({ minor }) => !stays.has(minor));
    const come = wanted.filter(({ minor }) => !this.#classes.has(minor));
    await changeQueue(this.#system, come.flatMap(renderClassAdd));
    await changeQueue(this.#system, gone.flatMap(renderClassRemove));
    for (const { minor } of gone) this.#classes.delete(minor);
  }

  #facts(homes: readonly StoredHome[], sessions: readonly HomeSession[]): EndpointFacts {
    const { tunnelNet, innerNet, innerNet6 } = this.#options.identity;
    return {
      uid: this.#system.processes.uid,
      tunnelNet,
      innerNet,
      innerNet6: this.ipv6 ? innerNet6 : null,
      homes: homes.map(
        ({ name, host }) =>
          sessions.find((session) => session.host === host)?.slot() ?? { name, host, shape: null },
      ),
    };
  }

  #resolverAddresses(): string[] {
    const { identity } = this.#options;
    return [resolver4(identity), resolver6(identity)!];
  }

  async #applyRules(homes: readonly StoredHome[], sessions: readonly HomeSession[]): Promise<void> {
    const text = renderEndpointNft(this.#facts(homes, sessions));
    await this.#rules.apply(text, permit(sessions));
  }

  async #forward(): Promise<void> {
    await this.#sysctls.set('net/ipv4/ip_forward', '1');
    if (!this.ipv6) return;
    // Forwarding makes the kernel deaf to router advertisements unless accept_ra is 2 (ip-sysctl.rst).
    const question = ['-6', 'route', 'show', 'default'];
    for (const { dev } of await ipJson<{ dev?: string }>(this.#system, question)) {
      const path = `net/ipv6/conf/${dev}/accept_ra`;
      if ((await readSysctl(this.#system, path)) === '1') await this.#sysctls.set(path, '2');
    }
    await this.#sysctls.set('net/ipv6/conf/all/forwarding', '1');
  }

  async #configureNetdev(): Promise<void> {
    await setLink(this.#system, INNER_NETDEV, DEVICE_MTU, DEVICE_QUEUE_PACKETS);
    await writeSysctl(this.#system, `net/ipv4/conf/${INNER_NETDEV}/rp_filter`, '0');
    await writeSysctl(this.#system, `net/ipv6/conf/${INNER_NETDEV}/accept_ra`, '0');
    const [four, six] = this.#resolverAddresses();
    await this.#ip('addr', 'replace', `${four}/16`, 'dev', INNER_NETDEV);
    if (this.ipv6) await this.#ip('addr', 'replace', `${six}/48`, 'dev', INNER_NETDEV, 'nodad');
  }

  async #ip(...words: string[]): Promise<string> {
    return (await this.#system.processes.run(['ip', ...words])).stdout;
  }
}

/** Commands that let frames to the open ones of these homes leave for some seconds. */
function permit(sessions: readonly HomeSession[]): string {
  const open = sessions.filter(({ isOpen }) => isOpen).map(({ peer }) => peer);
  return renderAlive(open);
}
