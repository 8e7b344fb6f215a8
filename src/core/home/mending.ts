// Findings of others' firewall rules that the service mends by itself where a person says so. Pure.
import type { Notice, NoticeCode } from '../notices/notice.ts';
import type { Status } from './api.ts';

/** Those whose sentence has the commands that mend them; everything else is for a person to decide. */
const codes: readonly NoticeCode[] = [
  'devices-dropped-by',
  'answers-dropped-by',
  'flow-offloading-on',
  'auto-includes-off',
  'firewall-zone-without',
  'firewall-forwards-elsewhere',
];

export function isMendable(code: string): boolean {
  return codes.some((one) => one === code);
}

/**
 * The commands that mend what the status tells under this code, each in words; none where it tells nothing such.
 *
 * They are made of the status, never of what somebody asked for.
 */
export function findMending(status: Status, code: string): string[][] {
  const { trouble_code: trouble, trouble_values: values = {}, config } = status;
  const told: Notice[] = [
    ...(trouble === undefined ? [] : [{ code: trouble, values }]),
    ...config.warning_notices,
  ];
  const command = told.find((one) => one.code === code && isMendable(code))?.values.command;
  if (typeof command !== 'string') return [];
  return command.split('; ').map(wordsOfCommand);
}

/** As a shell would have them. OpenWrt's `service NAME` is a function of its interactive shell. */
function wordsOfCommand(command: string): string[] {
  const [program = '', ...words] = command.split(' ').map((word) => word.replaceAll('"', ''));
  const [name, ...rest] = words;
  return program === 'service' ? [`/etc/init.d/${name}`, ...rest] : [program, ...words];
}
