// Filters on a netdev's way out (clsact), as far as they lead to another netdev, with what tc answers.
import { ipBytes } from '../../../src/core/ip/address.ts';
import { type Ended, failed, printed } from './ip-command.ts';
import type { Netdev } from './ip-model.ts';
import { NotUnderstood } from './nft-text.ts';

interface Filter {
  preference: number;
  address: string;
  port: number;
  /** Netdev that it leads to, whatever comes to have its name. */
  target: Netdev;
  packets: number;
}

const ADD =
  /egress protocol ip pref (\d+) u32 match ip dst (\S+)\/32 match ip protocol 17 0xff match ip dport (\d+) 0xffff action mirred egress redirect dev (\S+)$/;

/** One netdev's. */
export class EgressHook {
  readonly #filters: Filter[] = [];

  /** The filter that takes datagrams to this address. */
  filterOf(address: string): Filter | null {
    return this.#filters.find((one) => one.address === address) ?? null;
  }

  /** Somebody removes them all. */
  clear(): void {
    this.#filters.length = 0;
  }

  add(line: string, netdevs: ReadonlyMap<string, Netdev>): Ended {
    const [, preference, address, port, name] = ADD.exec(line) ?? [];
    if (!address) throw new NotUnderstood(`tc ${line}`);
    const target = netdevs.get(name!);
    if (!target) return failed(1, `Cannot find device "${name}"`);
    const numbers = { preference: Number(preference), port: Number(port) };
    this.#filters.push({ ...numbers, address, target, packets: 0 });
    return printed('');
  }

  remove(line: string): Ended {
    const preference = Number(/egress pref (\d+)$/.exec(line)?.[1]);
    const index = this.#filters.findIndex((one) => one.preference === preference);
    if (index < 0) return failed(2, 'Error: Filter with specified priority/protocol not found.');
    this.#filters.splice(index, 1);
    return printed('');
  }

  show(netdevs: ReadonlyMap<string, Netdev>): string {
    const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
    return this.#filters
      .flatMap(({ preference, address, port, target, packets }, index) => {
        const head = `filter protocol ip pref ${preference} u32 chain 0 `;
        const word = [...ipBytes(address)].map((byte) => hex(byte, 2)).join('');
        const name = netdevs.get(target.name) === target ? target.name : '*';
        const table = `${hex(0x800 + index, 3)}:`;
        return [
          head,
          `${head}fh ${table} ht divisor 1 `,
          `${head}fh ${table}:800 order 2048 key ht 800 bkt 0 terminal flowid not_in_hw `,
          `  match ${word}/ffffffff at 16`,
          '  match 00110000/00ff0000 at 8',
          `  match ${hex(port, 8)}/0000ffff at 20`,
          `\taction order 1: mirred (Egress Redirect to device ${name}) stolen`,
          '\tAction statistics:',
          `\tSent 0 bytes ${packets} pkt (dropped 0, overlimits 0 requeues 0) `,
          '',
        ];
      })
      .map((line) => `${line}\n`)
      .join('');
  }
}
