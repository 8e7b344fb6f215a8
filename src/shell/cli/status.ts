// `iotshaper status` and `reload`: ask the running service.
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ConfigStatus, Status } from '../../core/home/api.ts';
import { askLocalApi, NotRunningError } from '../machine/local-api.ts';
import { pause, type System } from '../system/system.ts';
import type { Context } from './context.ts';
import { type EndpointStatus, renderEndpointForPerson } from './endpoint/status.ts';
import { Failure } from './failure.ts';
import { defaultEndpointDir, defaultRunDir } from './paths.ts';

export function registerStatus(program: Command, { system, console }: Context): void {
  program
    .command('status')
    .description('say whether the home is protected, and the figures behind it')
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .option('--json', 'as the bus has it')
    .action(async ({ runDir, json }: { runDir: string; json?: boolean }) => {
      const status = (await ask(system, runDir, 'status')) as Status;
      console.write(json ? `${JSON.stringify(status, null, 2)}\n` : renderForPerson(status));
    });
  program
    .command('watch')
    .description('follow the service: a line whenever its state changes, and every ten seconds')
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .action(async ({ runDir }: { runDir: string }) => {
      let last = '';
      for (let seconds = 0; ; seconds++) {
        const status = (await ask(system, runDir, 'status')) as Status;
        const state = `${status.state} ${status.reason}`;
        if (state !== last || seconds % 10 === 0)
          console.write(`${renderLine(status, system.clock.unixMs())}\n`);
        last = state;
        await pause(system.timers, 1000);
      }
    });
  program
    .command('reload')
    .description('read the configuration again and put it in force')
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .action(async ({ runDir }: { runDir: string }) => {
      const { ok, errors } = (await ask(system, runDir, 'reload')) as ConfigStatus;
      if (!ok) throw new Failure(errors.map(({ message }) => message).join('\n'));
    });
}

/** @throws {Failure} with status 3 when the service is not running. */
export async function ask(
  system: Pick<System, 'files' | 'sockets' | 'timers'>,
  runDir: string,
  method: string,
): Promise<unknown> {
  try {
    return await askLocalApi(system, join(runDir, 'api.sock'), { method });
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    const isServer = system.files.exists(join(defaultEndpointDir, 'endpoint.json'));
    throw new Failure(
      isServer
        ? 'the endpoint is not running, so its homes are cut off; start it with: systemctl start iotshaper-endpoint'
        : error.message,
      3,
    );
  }
}

function renderLine({ state, reason, role, upload, download }: Status, unixMs: number): string {
  const time = new Date(unixMs).toLocaleTimeString();
  if (role !== 'home') return `${time}  ${state}  ${reason}`;
  const way = ({ pps, device_kBps, queue_ms }: Status['upload']): string =>
    `${pps.toFixed(0)} packets/s, devices ${device_kBps.toFixed(1)} KB/s, waiting ${queue_ms} ms`;
  return `${time}  ${state}  up ${way(upload)}; down ${way(download)}  ${reason}`;
}

function renderForPerson(status: Status): string {
  if (status.role !== 'home') return renderEndpointForPerson(status as unknown as EndpointStatus);
  const { tunnel, upload, download, rate, devices, config } = status;
  const lines = [
    status.reason,
    '',
    `state      ${status.state}, version ${status.version}`,
    `rate       ${rate.upload_kBps} KB/s up, ${rate.download_kBps} KB/s down (${rate.source}), ${status.packet_size}-byte packets, ${status.mode}`,
    `tunnel     ${tunnel.state}, ${tunnel.remote}${tunnel.address ? `, address ${tunnel.address}` : ''}`,
    `endpoint   ${status.endpoint.state}${status.endpoint.version ? `, version ${status.endpoint.version}` : ''}`,
    ...(
      [
        ['upload', upload],
        ['download', download],
      ] as const
    ).map(
      ([name, way]) =>
        `${name.padEnd(9)}  ${way.pps} of ${way.target_pps} packets/s: devices ${way.device_kBps} KB/s, cover ${way.cover_kBps} KB/s; ${way.queue_packets} waiting ${way.queue_ms} ms, ${way.dropped} dropped`,
    ),
    `cost       ${status.cost.gb_per_month} GB a month`,
    ...devices.map(
      (device) =>
        `device     ${device.name} (${device.mac || device.ip.join(', ')}): ${device.policy}, ${device.kBps} KB/s`,
    ),
    ...config.errors.map(({ message }) => `error      ${message}`),
    ...config.warnings.map((message) => `warning    ${message}`),
    ...(config.notes ?? []).map((message) => `note       ${message}`),
  ];
  return `${lines.join('\n')}\n`;
}
