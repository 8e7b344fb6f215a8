// Plants every case of exposure and prints a table: what left in the clear, and what the service said meanwhile.
import { setTimeout as delay } from 'node:timers/promises';
import { type ExposureCase, exposureCases } from './cases.ts';
import { ExposureLab, type Seen } from './exposure-lab.ts';
import { houseCases } from './house-cases.ts';
import { injectionCases } from './injection-cases.ts';

interface Row {
  seen: Seen;
  /** Sentences of the status, in the order they came. */
  said: string[];
  remark: string;
}

async function listen(exposure: ExposureLab, said: string[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const status = await exposure.network.status();
    const words = status ? `${status.state}: ${status.reason}` : 'no answer';
    if (said.at(-1) !== words) said.push(words);
    await delay(400, undefined, { signal }).catch(() => {}); // the service is asked anew: it tells no other way here
  }
}

async function tryCase(exposure: ExposureLab, { plant, heal }: ExposureCase): Promise<Row> {
  const said: string[] = [];
  const stop = new AbortController();
  const listening = listen(exposure, said, stop.signal);
  let remark = '';
  const seen = await exposure.watch(async () => {
    remark = (await plant(exposure).catch((error: Error) => error.message)) ?? '';
  });
  await heal?.(exposure).catch((error: Error) => {
    remark += ` (not mended: ${error.message.split('\n')[0]})`;
  });
  stop.abort();
  await listening;
  return { seen, said, remark };
}

const [pattern = '', times = '1'] = process.argv.slice(2);
const cases = [...exposureCases, ...injectionCases, ...houseCases].filter(({ name }) =>
  name.includes(pattern),
);
const exposure = await ExposureLab.start('table');
let failed = false;
try {
  console.log(
    '| case | devices in the clear | inside in the clear | said | remark |\n|---|---|---|---|---|',
  );
  for (const one of cases) {
    const totals = { devices: 0, inside: 0, tries: 0 };
    const said = new Set<string>();
    let remark = '';
    for (let round = 0; round < Number(times); round++) {
      const row = await tryCase(exposure, one);
      const { allowed } = one;
      if (allowed) row.seen.devices = row.seen.devices.filter((words) => !words.includes(allowed));
      if (one.open) row.seen.devices = [];
      if (one.foreign) row.seen.inside = [];
      totals.devices += row.seen.devices.length;
      totals.inside += row.seen.inside.length;
      if (row.seen.devices.length + row.seen.inside.length > 0) totals.tries++;
      for (const words of row.said) said.add(words);
      remark = row.remark || [...row.seen.inside, ...row.seen.devices][0] || remark;
    }
    failed ||= totals.tries > 0;
    const often = Number(times) > 1 ? ` (${totals.tries} of ${times} times)` : '';
    console.log(
      `| ${one.name} | ${totals.devices}${often} | ${totals.inside} | ${[...said].join(' → ')} | ${remark} |`,
    );
  }
} finally {
  await exposure.close();
}
process.exit(failed ? 1 : 0);
