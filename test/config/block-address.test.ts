// What bundles have in the place of ip-address tells ip-cidr the same.
import test from 'ava';
import { build } from 'esbuild';
import fc from 'fast-check';
import IPCIDR from 'ip-cidr';
import { runs } from '../property-runs.ts';

async function bundledIpCidr(): Promise<typeof IPCIDR> {
  const { outputFiles } = await build({
    stdin: { contents: "export { default } from 'ip-cidr';", resolveDir: '.' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    alias: { 'ip-address': './src/core/ip/block-address.ts' },
    logLevel: 'warning',
  });
  const base64 = Buffer.from(outputFiles[0]!.contents).toString('base64');
  return (await import(`data:text/javascript;base64,${base64}`)).default;
}

const bundled = bundledIpCidr();

/** What it says of a block, and of addresses that may lie in it; null for what is no block. */
function answersOf(Cidr: typeof IPCIDR, block: string, others: readonly string[]) {
  try {
    const cidr = new Cidr(block);
    const [address, start, end] = [cidr.address, cidr.addressStart, cidr.addressEnd];
    return {
      size: cidr.size,
      numbers: [address, start, end].map((one) => BigInt(one.bigInteger().toString())),
      forms: [address, start, end].map((one) => one.correctForm()),
      // Of another family's addresses ip-address says whatever the bits say.
      holds: others
        .filter((other) => other.includes(':') === block.includes(':'))
        .map((other) => cidr.contains(other)),
      last: cidr.toArray({ from: cidr.size.valueOf() - 1n }).length,
    };
  } catch {
    return null;
  }
}

/** Addresses of few bits, so that blocks hold some of them. */
const address = fc.oneof(
  fc.ipV4(),
  fc.nat(31).map((byte) => `10.0.0.${byte}`),
  fc.ipV6().filter((text) => !text.includes('.')),
  fc.nat(31).map((byte) => `fd00::${byte.toString(16)}`),
);
const block = fc.tuple(address, fc.nat(34)).map(([text, cut]) => {
  const bits = text.includes(':') ? 128 : 32;
  return `${text}/${Math.max(1, bits - cut)}`;
});

test('blocks begin, end and hold alike', async (t) => {
  const Bundled = await bundled;
  let held = 0;
  fc.assert(
    fc.property(block, fc.array(address, { maxLength: 5 }), (text, drawn) => {
      // Few that are drawn lie in the block: its own does.
      const others = [text.split('/')[0]!, ...drawn];
      const answers = answersOf(IPCIDR, text, others);
      t.deepEqual(answersOf(Bundled, text, others), answers, text);
      held += answers?.holds.filter(Boolean).length ?? 0;
    }),
    { numRuns: runs(500) },
  );
  t.true(held > 0);
});

for (const text of [
  '10.0.0.1',
  '10.0.0.1/33',
  '10.0.0/8',
  'fd00::/129',
  'x/8',
  '10.0.0.1/x',
  '/8',
]) {
  test(`neither takes ${text}`, async (t) => {
    t.is(answersOf(IPCIDR, text, []), null);
    t.is(answersOf(await bundled, text, []), null);
  });
}
