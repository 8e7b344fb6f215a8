// Hosts, names and networks on the command line, refused with what is allowed.
import { findHostFault } from '../../../core/endpoint/host.ts';
import { findNameFault } from '../../../core/endpoint/keeping.ts';
import { splitPrefix } from '../../../core/ip/address.ts';
import { InvalidValue } from '../failure.ts';
import { parseList } from '../number-options.ts';

/** What homes reach an endpoint by. */
export function parseHost(text: string): string {
  const fault = findHostFault(text);
  if (fault !== null) throw new InvalidValue(`${fault}.`);
  return text;
}

/** What a home may be called. */
export function parseHomeName(text: string): string {
  const fault = findNameFault(text);
  if (fault !== null) throw new InvalidValue(fault.replace(/^NAME: (.*)$/s, '$1.'));
  return text;
}

/** Networks with commas between them. */
export function parsePrefixes(text: string, before?: readonly string[]): string[] {
  const prefixes = parseList(text, before);
  if (prefixes.every(splitPrefix)) return prefixes;
  throw new InvalidValue('must be a network, such as 10.213.0.0/24, or several with commas.');
}
