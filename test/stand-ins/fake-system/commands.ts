// The commands that end at once: each answered by the model of what it asks.
import { type Ended, failed, printed, runIp } from './ip-command.ts';
import type { IpModel } from './ip-model.ts';
import { type NftModel, NftRefusal } from './nft-model.ts';
import { NotUnderstood } from './nft-text.ts';
import type { ProcessTable } from './processes.ts';
import type { TcModel } from './tc-model.ts';

export interface CommandModels {
  nft: NftModel;
  ip: IpModel;
  tc: TcModel;
}

/** Makes the machine know nft, ip, tc, conntrack and setpriv. */
export function addCommands({ commands }: ProcessTable, { nft, ip, tc }: CommandModels): void {
  commands.push(
    (argv, input) => (argv[0] === 'nft' ? runNft(nft, argv.slice(1), input) : null),
    (argv) => (argv[0] === 'ip' ? runIp(ip, argv.slice(1)) : null),
    (argv, input) => {
      if (argv[0] !== 'tc') return null;
      const isBatch = argv.slice(-2).join(' ') === '-batch -';
      if (isBatch) return tc.runBatch(input, argv.includes('-force'));
      return tc.run(argv.slice(1));
    },
    (argv) => (argv[0] === 'conntrack' ? runConntrack(argv) : null),
    (argv) => (argv[0] === 'setpriv' && argv.at(-1) === 'true' ? printed('') : null),
  );
}

function runNft(nft: NftModel, argv: readonly string[], input: string): Ended {
  const words = argv.join(' ');
  if (words === '--version') return printed('nftables v1.0.6 (Lester Gooch #5)\n');
  if (words === '-t list ruleset') return printed(nft.print());
  if (words !== '-f -' && words !== '-c -f -') throw new NotUnderstood(`nft ${words}`);
  try {
    return printed(words === '-f -' ? nft.load(input) : nft.check(input));
  } catch (error) {
    if (error instanceof NftRefusal) return failed(1, error.message);
    throw error;
  }
}

function runConntrack(argv: readonly string[]): Ended {
  const pattern = /^conntrack -D -f ipv[46] -s \S+$/;
  if (!pattern.test(argv.join(' '))) throw new NotUnderstood(argv.join(' '));
  return failed(1, 'conntrack v1.4.7 (conntrack-tools): 0 flow entries have been deleted.');
}
