// What the provider's line shows of a change of the rate.
import { HomeNetwork } from '../../net/home-network.ts';
import { intervalsMs, packetsPerS, readWire, sizes } from '../../net/wire.ts';

const CHANGES = 5;

/** The longest interval while the rate changes, beside the longest of as long a stretch in which nothing does. @returns what is plainly broken */
export async function measureRateChanges(): Promise<string[]> {
  const broken: string[] = [];
  const network = await HomeNetwork.build({ id: 'wire' });
  try {
    network.startEndpoint();
    network.startHome();
    await network.startCloud();
    await network.await('shaping');
    network.startDevice('chatter');
    for (let change = 0; change < CHANGES; change++) {
      const rate = change % 2 === 0 ? 80 : 40;
      const longest: Record<string, string> = {};
      for (const what of ['null', 'change'] as const) {
        const stop = await network.capture(`${what}.pcap`);
        const talk = network.device('download');
        if (what === 'change') {
          await network.configure([`option rate '${rate}'`]);
          await network.reload();
        }
        await talk;
        const { up, down } = await readWire(await stop());
        longest[what] = [up, down]
          .map((way) => `${Math.max(...intervalsMs(way)).toFixed(1)} ms`)
          .join(', ');
        if (what === 'null') continue;
        for (const way of [up, down]) {
          if (sizes(way).length !== 1) broken.push(`a change to ${rate} KB/s showed in sizes`);
        }
        const share = packetsPerS(up.slice(-100)) / ((rate * 1000) / 512);
        longest.share = `${(100 * share).toFixed(0)} %`;
      }
      console.log(
        `to ${rate} KB/s: longest interval up, down ${longest.change}; with no change ${longest.null}; then ${longest.share} of the rate asked`,
      );
    }
  } finally {
    await network.close();
  }
  return broken;
}
