// Reads what the program feeds to `nft -f -`, as far as it feeds it; anything else is refused loudly.

/** One element of a set; without a time-out of its own where that is null. */
export interface ElementText {
  key: string;
  /** What a map leads to. */
  value: string | null;
  timeoutMs: number | null;
}

export interface Block {
  kind: 'set' | 'map' | 'counter' | 'chain';
  name: string;
  lines: string[];
}

/** One command; tables by family and name, as `inet iotshaper`. */
export type NftCommand =
  | { kind: 'declare'; table: string }
  | { kind: 'delete'; table: string }
  | { kind: 'flush'; table: string }
  | { kind: 'list'; table: string }
  | { kind: 'flush set'; table: string; set: string }
  | { kind: 'flush ruleset' }
  | { kind: 'list netdev' }
  | { kind: 'define'; table: string; blocks: Block[] }
  | { kind: 'add'; table: string; set: string; elements: ElementText[] }
  | { kind: 'drop'; table: string; set: string; elements: ElementText[] };

/** The model does not know what this means. */
export class NotUnderstood extends Error {
  override name = 'NotUnderstood';
}

const TABLE = String.raw`((?:inet|ip|ip6|netdev) \w+)`;

/** @throws {NotUnderstood} */
export function readNft(text: string): NftCommand[] {
  const lines = text.split('\n');
  const commands: NftCommand[] = [];
  while (lines.length > 0) {
    const line = lines.shift()!.trim();
    if (line === '') continue;
    commands.push(readCommand(line, lines));
  }
  return commands;
}

function readCommand(line: string, rest: string[]): NftCommand {
  const read = (pattern: string): RegExpExecArray | null => new RegExp(`^${pattern}$`).exec(line);
  if (line === 'flush ruleset') return { kind: 'flush ruleset' };
  if (line === 'list ruleset netdev') return { kind: 'list netdev' };
  let match = read(`table ${TABLE} \\{`);
  if (match) return { kind: 'define', table: match[1]!, blocks: readBlocks(rest) };
  match = read(`table ${TABLE}`);
  if (match) return { kind: 'declare', table: match[1]! };
  match = read(`(delete|flush|list) table ${TABLE}`);
  if (match) return { kind: match[1] as 'delete' | 'flush' | 'list', table: match[2]! };
  match = read(`flush (?:set|map) ${TABLE} (\\w+)`);
  if (match) return { kind: 'flush set', table: match[1]!, set: match[2]! };
  match = read(`(add|delete) element ${TABLE} (\\w+) \\{(.*)\\}`);
  if (match) {
    const [, verb, table, set, elements] = match;
    const parts = { table: table!, set: set!, elements: readElements(elements!) };
    return verb === 'add' ? { kind: 'add', ...parts } : { kind: 'drop', ...parts };
  }
  throw new NotUnderstood(`nft: ${line}`);
}

function readBlocks(rest: string[]): Block[] {
  const blocks: Block[] = [];
  for (;;) {
    const line = rest.shift()?.trim();
    if (line === undefined) throw new NotUnderstood('nft: a table without its end');
    if (line === '}') return blocks;
    if (line === '') continue;
    const head = /^(set|map|counter|chain) (\w+) \{$/.exec(line);
    if (!head) throw new NotUnderstood(`nft: ${line}`);
    const block: Block = { kind: head[1] as Block['kind'], name: head[2]!, lines: [] };
    for (let inner = rest.shift()?.trim(); inner !== '}'; inner = rest.shift()?.trim()) {
      if (inner === undefined) throw new NotUnderstood(`nft: ${line} without its end`);
      if (inner === 'elements = {') block.lines.push(readList(inner, rest));
      else if (inner !== '') block.lines.push(inner);
    }
    blocks.push(block);
  }
}

/** A list over several lines as one of one line. */
function readList(head: string, rest: string[]): string {
  let text = head;
  for (let line = rest.shift()?.trim(); line !== undefined; line = rest.shift()?.trim()) {
    text += ` ${line}`;
    if (line === '}') return text;
  }
  throw new NotUnderstood('nft: a list without its end');
}

/** `a, b timeout 3s`, `a : b`, `a . b` */
export function readElements(text: string): ElementText[] {
  const list = text.split(',').filter((one) => one.trim() !== '');
  return list.map((one) => {
    const pattern = /^(\S+(?: \. \S+)?)(?: : (\S+))?(?: timeout (\S+))?$/;
    const [, key, value = null, timeout] = pattern.exec(one.trim()) ?? [];
    if (key === undefined) throw new NotUnderstood(`nft: element ${one}`);
    const timeoutMs = timeout ? readDuration(timeout) : null;
    return { key: key.replaceAll('"', ''), value, timeoutMs };
  });
}

const UNITS: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** `1d`, `2s588ms`, in ms. */
export function readDuration(text: string): number {
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[dhms])/g))
    ms += Number(count) * UNITS[unit!]!;
  return ms;
}

/** As nft prints it. */
export function printDuration(ms: number): string {
  let left = Math.floor(ms);
  let text = '';
  for (const [unit, size] of Object.entries(UNITS)) {
    const count = Math.floor(left / size);
    if (count > 0) text += `${count}${unit}`;
    left -= count * size;
  }
  return text || '0s';
}

const PRIORITIES: Record<string, number> = {
  raw: -300,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
};

/** `raw - 20` as a number. */
export function readPriority(text: string): number {
  const [, name = '', sign = '+', offset = '0'] = /^([a-z]+)(?: ([+-]) (\d+))?$/.exec(text) ?? [];
  const base = PRIORITIES[name];
  if (base !== undefined) return base + Number(`${sign}${offset}`);
  if (!/^-?\d+$/.test(text)) throw new NotUnderstood(`nft: priority ${text}`);
  return Number(text);
}

/** As nft lists it: by name where it is no farther from one than 10. */
export function printPriority(value: number): string {
  for (const [name, base] of Object.entries(PRIORITIES)) {
    const offset = value - base;
    if (Math.abs(offset) > 10) continue;
    return offset === 0 ? name : `${name} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)}`;
  }
  return `${value}`;
}

/** A rule as nft lists it. */
export function canonicalRule(text: string): string {
  return (
    text
      .replace(/counter name (\w+)/, 'counter name "$1"')
      // Said by the field already.
      .replace(/meta nfproto ipv[46] (?=update @\w+ \{ ip)/, '')
      .replace(/(?<!@\w+ )\{ ("[^",]*"|\w+) \}/g, '$1')
      .replace(/meta mark & (0x\w+) \| (0x\w+)/, (_, mask: string, mark: string) => {
        const kept = ((Number(mask) | Number(mark)) >>> 0).toString(16).padStart(8, '0');
        return `meta mark & 0x${kept} | ${mark}`;
      })
  );
}
