// The resolver that answers homes at the endpoint's inner address: dnsmasq, kept running.
import { notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import { SupervisedChild } from '../system/child.ts';
import type { Log } from '../system/log.ts';
import type { System } from '../system/system.ts';

/** dnsmasq's arguments: it forwards to what the endpoint itself asks, answers inside only, and writes nothing down. */
export function resolverArgv(netdev: string, addresses: readonly string[]): string[] {
  return [
    'dnsmasq',
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-hosts',
    '--pid-file=',
    '--user=nobody',
    '--bind-dynamic',
    `--interface=${netdev}`,
    '--except-interface=lo',
    ...addresses.map((address) => `--listen-address=${address}`),
    '--cache-size=1000',
    '--domain-needed',
    '--bogus-priv',
    '--stop-dns-rebind',
  ];
}

export function startResolver(
  system: System,
  netdev: string,
  addresses: readonly string[],
  log: Log,
): SupervisedChild {
  const child = new SupervisedChild({
    system,
    argv: () => resolverArgv(netdev, addresses),
    onLine: (line) => log('info', line),
    onExit: (why) => log('warning', wordsOf(notice('dnsmasq-stopped', { why }))),
  });
  child.start();
  return child;
}
