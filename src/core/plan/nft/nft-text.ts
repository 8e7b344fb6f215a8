// Small builders of nftables text shared by both roles: one rule a line, comments in the output.

/** NFTNL_UDATA_COMMENT_MAXLEN, less its end and our mark. */
const MAX_COMMENT_BYTES = 110;

/** Quotes a section or home name for an nft comment: no quote or control character, cut where nft's 128 bytes would not hold it. */
export function comment(text: string): string {
  const clean = text.replace(/["\\\x00-\x1f\x7f]/g, '_');
  if (/^[\x20-\x7e]*$/.test(clean)) {
    return `comment "!iotshaper: ${clean.slice(0, MAX_COMMENT_BYTES)}"`;
  }
  const encoder = new TextEncoder();
  let kept = '';
  let bytes = 0;
  for (const character of clean) {
    bytes += character < '\x80' ? 1 : encoder.encode(character).length;
    if (bytes > MAX_COMMENT_BYTES) break;
    kept += character;
  }
  return `comment "!iotshaper: ${kept}"`;
}

/** `{ a, b }` of quoted netdev names. */
export function netdevSet(names: readonly string[]): string {
  return `{ ${names.map((name) => `"${name}"`).join(', ')} }`;
}

/** A named block of lines, indented by one tab. */
export function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => (line === '' ? '' : `\t${line}`)), '}'];
}

/** A bounded set that rules fill; an element is forgotten so long after it was noted last. */
export function learnedSet(
  name: string,
  type: string,
  size: number,
  timeout: string,
  why: string,
): string[] {
  return block(`set ${name}`, [
    `type ${type}`,
    `size ${size}`,
    'flags dynamic,timeout',
    `timeout ${timeout}`,
    comment(why),
  ]);
}

/** The whole table as one transaction that replaces what was there. */
export function replaceTable(table: string, blocks: readonly string[][]): string {
  const body = blocks.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
  return [
    `table inet ${table}`,
    `delete table inet ${table}`,
    ...block(`table inet ${table}`, body),
    '',
  ].join('\n');
}

/**
 * The same table as {@link replaceTable} rendered it, for one that was loaded before: sets that are filled while packets
 * pass, counters and the chains' places among other programs' stay as they are.
 *
 * @param text all of the table, with the same sets and chains as the one that is loaded.
 * @param sets those sets and maps whose elements stand in the text.
 */
export function updateTable(table: string, text: string, sets: readonly string[]): string {
  const flush = [
    `flush table inet ${table}`,
    ...sets.map((set) => {
      const kind = text.includes(`map ${set} {`) ? 'map' : 'set';
      return `flush ${kind} inet ${table} ${set}`;
    }),
  ];
  return text.replace(`delete table inet ${table}\n`, `${flush.join('\n')}\n`);
}

/** A listing without what changes by itself: counters, and the sets whose elements time out. */
export function withoutCounts(listing: string): string {
  return listing
    .replace(/packets \d+ bytes \d+/g, 'packets bytes')
    .replace(/\tset \w+ \{[^}]*?\tflags (?:\w+,)?timeout\n[\s\S]*?\n\t\}\n/g, '');
}

/** Packets that a named counter has counted, in a listing of its table; 0 where it is not in there. */
export function countedIn(listing: string, counter: string): number {
  return Number(new RegExp(`\\tcounter ${counter} \\{\\s+packets (\\d+)`).exec(listing)?.[1] ?? 0);
}
