// Warns of OpenWrt's flow offload, whose connections the firewall no longer looks at.
import { readFile } from 'node:fs/promises';
import { parseUci, type UciPackage } from '../config/uci.ts';

/** What fw4 takes for yes (fw4.uc, `parse_bool`). */
const YES = ['1', 'on', 'true', 'yes'];

/** One warning when fw4's configuration asks for flow offload, none otherwise. */
export function findFlowOffload(firewall: UciPackage): string[] {
  const wanted = firewall.sections.some(
    ({ type, options }) =>
      type === 'defaults' && YES.includes(String(options.get('flow_offloading'))),
  );
  return wanted
    ? [
        'firewall.@defaults[0].flow_offloading is on: a connection that was offloaded before its device was chosen may go on past the tunnel until it ends; ' +
          'switch it off ("uci set firewall.@defaults[0].flow_offloading=0; uci commit firewall; service firewall restart") or restart the device',
      ]
    : [];
}

/** Reads fw4's configuration; nothing to warn of where there is none. */
export async function readFlowOffload(path = '/etc/config/firewall'): Promise<string[]> {
  try {
    return findFlowOffload(parseUci(await readFile(path), 'firewall'));
  } catch {
    return []; // without a firewall, or with one fw4 refuses itself, nothing is offloaded
  }
}
