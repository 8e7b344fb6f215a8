// `iotshaper cost`: what shaping costs a month.
import type { Command } from 'commander';
import { type Cost, type CostInput, costOf, type RateShare } from '../../core/cost/cost.ts';
import { standingDelayMs, standingSlots } from '../../core/plan/outer-clock.ts';
import { figure, renderRows } from '../../core/plot/text-table.ts';
import { isPaced, rateBounds, streamDefaults } from '../../core/stream/stream.ts';
import { renderJson } from '../../core/text/json.ts';
import type { System } from '../system/system.ts';
import type { Context } from './context.ts';
import { usageFailure } from './failure.ts';
import { numberBetween, parsePacketBytes, parseRate } from './number-options.ts';

interface Flags {
  rate?: number;
  upload?: number;
  download?: number;
  packetSize?: number;
  cap?: number;
  price?: number;
  config?: string;
  idleHours?: number;
  idleRate?: number;
  json?: boolean;
}

/** Adds `cost`. */
export function registerCost(program: Command, { system, console }: Context): void {
  program
    .command('cost')
    .description(
      'what shaping costs a month: data as the provider counts it, share of a cap, money',
    )
    .option(
      '--rate <KBps>',
      `rate in each direction (default ${streamDefaults.rateKBps})`,
      parseRate,
    )
    .option('--upload <KBps>', 'rate of the upload, where it differs', parseRate)
    .option('--download <KBps>', 'rate of the download, where it differs', parseRate)
    .option(
      '--packet-size <bytes>',
      `of every packet on the tunnel (default ${streamDefaults.packetBytes})`,
      parsePacketBytes,
    )
    .option('--cap <GB>', 'data the provider allows a month', numberBetween(0.001, 1e9, 'GB'))
    .option('--price <money>', 'price of a GB', numberBetween(0, 1e9))
    .option('--config <file>', 'take rates, schedules, cap and price from this UCI file')
    .option(
      '--idle-hours <hours>',
      'hours a day at another rate, as nobody is at home',
      numberBetween(0, 24, 'hours'),
    )
    .option(
      '--idle-rate <KBps>',
      'that rate; 0 is shaping off',
      numberBetween(0, rateBounds.most, 'KB/s'),
    )
    .option('--json', 'as JSON')
    .action(async (flags: Flags) => {
      const { standingSlots: slots, ...input } = await inputOf(system, flags);
      const cost = costOf(input);
      const delayMs = (rateKBps: number): number => {
        const rate = { rateKBps, packetBytes: input.packetBytes };
        if (!isPaced(rate)) return 0;
        return standingDelayMs(standingSlots({ main: { standingSlots: slots } }, rate), rate);
      };
      const clockDelayMs = { up: delayMs(input.uploadKBps), down: delayMs(input.downloadKBps) };
      console.write(
        flags.json
          ? renderJson({ ...input, ...cost, clockDelayMs })
          : render(input, cost, clockDelayMs),
      );
    });
}

async function inputOf(
  system: Pick<System, 'files'>,
  flags: Flags,
): Promise<CostInput & { standingSlots: number | null }> {
  const configured = flags.config === undefined ? null : await readConfigured(system, flags.config);
  const main = configured?.main;
  const uploadKBps = flags.upload ?? flags.rate ?? main?.rate.uploadKBps ?? streamDefaults.rateKBps;
  const downloadKBps =
    flags.download ?? flags.rate ?? main?.rate.downloadKBps ?? streamDefaults.rateKBps;
  return {
    uploadKBps,
    downloadKBps,
    standingSlots: main?.standingSlots ?? null,
    packetBytes: flags.packetSize ?? main?.packetBytes ?? streamDefaults.packetBytes,
    schedules: idleShares(flags) ?? configured?.schedules ?? [],
    dataCapGB: flags.cap ?? main?.dataCapGB ?? null,
    pricePerGB: flags.price ?? main?.pricePerGB ?? null,
  };
}

async function readConfigured(system: Pick<System, 'files'>, file: string) {
  const { readConfigFile, scheduleShares } = await import('./home.ts');
  const { config } = await readConfigFile(system, file);
  return { main: config.main, schedules: scheduleShares(config) };
}

function idleShares({ idleHours, idleRate }: Flags): RateShare[] | null {
  if (idleHours === undefined && idleRate === undefined) return null;
  if (idleHours === undefined || idleRate === undefined) {
    throw usageFailure('--idle-hours and --idle-rate belong together: give both');
  }
  return [{ share: idleHours / 24, uploadKBps: idleRate, downloadKBps: idleRate }];
}

function render(input: CostInput, cost: Cost, clockDelayMs: { up: number; down: number }): string {
  const share = (input.schedules ?? []).reduce((sum, part) => sum + part.share, 0);
  const rows = [
    ['upload', `${input.uploadKBps} KB/s`],
    ['download', `${input.downloadKBps} KB/s`],
    ['at other rates', `${figure(100 * share)} % of the time`],
    [
      'packet on the wire',
      `${cost.wirePacketBytes} bytes (${input.packetBytes} and 52 of the tunnel)`,
    ],
    ['upload waits', `${figure(clockDelayMs.up)} ms longer for the clock behind OpenVPN`],
    ['download waits', `${figure(clockDelayMs.down)} ms longer for the endpoint's`],
    ['data a month', `${cost.gbPerMonth.toFixed(1)} GB (both directions, 30 days)`],
  ];
  if (cost.capPercent !== null)
    rows.push([
      'share of the cap',
      `${cost.capPercent.toFixed(1)} % of ${input.dataCapGB} GB in a month of 31 days`,
    ]);
  if (cost.pricePerMonth !== null) rows.push(['price a month', cost.pricePerMonth.toFixed(2)]);
  return renderRows(
    rows.filter(([name]) => share > 0 || name !== 'at other rates'),
    2,
  );
}
