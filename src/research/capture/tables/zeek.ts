// Zeek's logs of connections, DNS, TLS and DHCP: as tables with #fields, or a JSON object a line.
import { LineError } from '../../../core/text/line-error.ts';
import { type FlowRecord, isPlausible, type NameRecord } from '../flows/flow-record.ts';
import { readProtocol, readTime } from './fields.ts';

/** A line's values by Zeek's names; what Zeek left unset is not among them. */
type Row = ReadonlyMap<string, string | readonly string[]>;

/** What of a log is no flow. */
export interface ZeekListener {
  onName: (record: NameRecord) => void;
  /** A device's own name, by its hardware address or address. */
  onHost: (who: string, name: string) => void;
}

/** Whether a text's beginning is that of such a log. */
export function isZeek(head: string): boolean {
  return head.startsWith('#separator') || /^\s*\{\s*"/.test(head);
}

/**
 * Connections as flows both ways; names are told by the way.
 * @throws LineError naming the line, behind the flows before it
 */
export async function* readZeek(
  lines: AsyncIterable<string>,
  name: string,
  listener: ZeekListener,
): AsyncGenerator<FlowRecord> {
  const table = new ZeekTable();
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    const fail = (problem: string) => new LineError(name, number, problem);
    if (line.startsWith('#')) {
      table.readHeader(line);
      continue;
    }
    const row = line.startsWith('{') ? readObject(line, fail) : table.readRow(line, fail);
    const flow = toFlow(row);
    if (flow) yield flow;
    else tellNames(row, listener);
  }
}

class ZeekTable {
  #separator = '\t';
  #setSeparator = ',';
  #unset = '-';
  #empty = '(empty)';
  #fields: readonly string[] = [];
  #isSet: readonly boolean[] = [];

  readHeader(line: string): void {
    const separator = /^#separator (.*)$/.exec(line)?.[1];
    if (separator !== undefined) {
      this.#separator = separator.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      );
      return;
    }
    const [key, ...values] = line.slice(1).split(this.#separator);
    if (key === 'set_separator') this.#setSeparator = values[0] || ',';
    else if (key === 'unset_field') this.#unset = values[0] ?? '-';
    else if (key === 'empty_field') this.#empty = values[0] ?? '';
    else if (key === 'fields') this.#fields = values;
    else if (key === 'types') this.#isSet = values.map((type) => /^(set|vector)\[/.test(type));
  }

  readRow(line: string, fail: (problem: string) => LineError): Row {
    if (this.#fields.length === 0)
      throw fail('comes before the line #fields that names its columns');
    const values = line.split(this.#separator);
    if (values.length < this.#fields.length) {
      throw fail(`has ${values.length} fields, #fields names ${this.#fields.length}`);
    }
    const row = new Map<string, string | readonly string[]>();
    this.#fields.forEach((field, i) => {
      const value = values[i]!;
      if (value === this.#unset || value === this.#empty) return;
      row.set(field, this.#isSet[i] ? value.split(this.#setSeparator) : value);
    });
    return row;
  }
}

function readObject(line: string, fail: (problem: string) => LineError): Row {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw fail('is no JSON object');
  }
  const row = new Map<string, string | readonly string[]>();
  for (const [field, one] of Object.entries(value as object)) {
    if (Array.isArray(one)) row.set(field, one.map(String));
    else if (one !== null && one !== undefined) row.set(field, String(one));
  }
  return row;
}

function textOf(row: Row, field: string): string | null {
  const value = row.get(field);
  return typeof value === 'string' ? value : null;
}

/** Null where the line is no connection's. */
function toFlow(row: Row): FlowRecord | null {
  const source = textOf(row, 'id.orig_h');
  const destination = textOf(row, 'id.resp_h');
  const isConnection = row.has('conn_state') || row.has('orig_pkts') || row.has('orig_ip_bytes');
  if (source === null || destination === null || !isConnection) return null;
  const number = (...fields: string[]) => {
    const known = fields.map((field) => Number(textOf(row, field) ?? Number.NaN));
    return known.find((value) => Number.isFinite(value)) ?? 0;
  };
  const flow: FlowRecord = {
    timeS: readTime(textOf(row, 'ts') ?? ''),
    durationS: number('duration'),
    source: source.toLowerCase(),
    destination: destination.toLowerCase(),
    sourceMac: textOf(row, 'orig_l2_addr')?.toLowerCase() ?? null,
    destinationMac: textOf(row, 'resp_l2_addr')?.toLowerCase() ?? null,
    protocol: readProtocol(textOf(row, 'proto') ?? ''),
    sourcePort: number('id.orig_p'),
    destinationPort: number('id.resp_p'),
    packets: number('orig_pkts'),
    // IP packets' lengths where they were written, else what those carried.
    bytes: number('orig_ip_bytes', 'orig_bytes'),
    reply: { packets: number('resp_pkts'), bytes: number('resp_ip_bytes', 'resp_bytes') },
  };
  return isPlausible(flow) ? flow : null;
}

function tellNames(row: Row, { onName, onHost }: ZeekListener): void {
  const asker = textOf(row, 'id.orig_h');
  const query = textOf(row, 'query');
  if (query !== null) {
    const answers = row.get('answers') ?? [];
    const addresses = (typeof answers === 'string' ? [answers] : answers).filter((answer) =>
      /^[\d.]+$|:/.test(answer),
    );
    onName({ asker, name: query.toLowerCase(), addresses });
  }
  const server = textOf(row, 'server_name');
  if (server !== null) {
    const remote = textOf(row, 'id.resp_h');
    onName({ asker, name: server.toLowerCase(), addresses: remote === null ? [] : [remote] });
  }
  const host = textOf(row, 'host_name') ?? textOf(row, 'client_fqdn');
  const address = textOf(row, 'assigned_addr') ?? textOf(row, 'client_addr');
  const mac = textOf(row, 'mac');
  if (host !== null) {
    for (const who of [mac, address]) if (who !== null) onHost(who.toLowerCase(), host);
  }
}
