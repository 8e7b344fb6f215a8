// Cuts a profile into directives and blocks, where OpenVPN cuts it (options_parse.c: parse_line, read_inline_file).
import { type Notice, type NoticeValue, notice } from '../notices/notice.ts';
import { isKnownTag } from './profile-names.ts';

/** One thing wrong with a profile. Never quotes what could be a part of a key. */
export interface ProfileProblem extends Notice {
  /** From 1; 0 when the fault is in no one line. */
  line: number;
}

/** A line of words. */
export interface Directive {
  line: number;
  name: string;
  values: string[];
}

/** A file within the profile, between `<tag>` and `</tag>`. */
export interface Block {
  line: number;
  tag: string;
  body: BodyLine[];
}

/** A block's line without blanks around it; empty lines and comments are left out. */
export interface BodyLine {
  line: number;
  text: string;
}

export interface CutProfile {
  directives: Directive[];
  blocks: Block[];
  /** Tags of blocks that are not among these, because of a problem. */
  broken: ReadonlySet<string>;
  problems: ProfileProblem[];
}

/**
 * OpenVPN reads lines into buffers of 256 bytes (options.h, OPTION_LINE_SIZE) and cuts longer ones within a block, so that
 * a part of a line could end the block and what follows would be read as directives.
 */
const MAX_LINE_BYTES = 250;

/** Words of a line up to its comment, and where that begins. */
export interface Words {
  words: string[];
  end: number;
}

/**
 * Words as OpenVPN cuts them: a quotation mark counts at the beginning of a word alone, a comment likewise, and blanks are
 * those of C. Backslashes are left to the caller: nothing a profile may hold needs one.
 *
 * @returns null for a quotation mark without its pair
 */
export function splitWords(line: string): Words | null {
  const words: string[] = [];
  const pattern = /[ \t]*(?:"([^"]*)"|'([^']*)'|([^ \t"'#;][^ \t]*))/y;
  for (let at = 0; ; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (match) words.push(match[1] ?? match[2] ?? match[3] ?? '');
    else {
      const rest = line.slice(at).replace(/^[ \t]+/, '');
      if (rest !== '' && !/^[#;]/.test(rest)) return null;
      return { words, end: line.length - rest.length };
    }
  }
}

/** Where a text holds what no text file does, or null. */
export function findControlCharacter(text: string): ProfileProblem | null {
  const binary = linesOf(text).findIndex((line) => /[\x00-\x08\x0a-\x1f\x7f]/.test(line));
  return binary < 0 ? null : { ...notice('control-character'), line: binary + 1 };
}

/** Lines without blanks and carriage returns at their ends. */
function linesOf(text: string): string[] {
  const lines = text.replace(/^\ufeff/, '').split('\n');
  return lines.map((line) => line.replace(/[ \t\r]+$/, ''));
}

/** Cuts a text. Never throws; every problem is listed, and what one is in is left out. */
export function cutProfile(text: string): CutProfile {
  const cutter = new Cutter(linesOf(text));
  cutter.run();
  return cutter;
}

class Cutter implements CutProfile {
  readonly directives: Directive[] = [];
  readonly blocks: Block[] = [];
  readonly broken: Set<string> = new Set();
  readonly problems: ProfileProblem[] = [];
  readonly #lines: readonly string[];
  /** Index of the next line. */
  #at = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  run(): void {
    while (this.#at < this.#lines.length) this.#readLine(this.#lines[this.#at++]!);
  }

  #report(said: Notice, line = this.#at): void {
    this.problems.push({ ...said, line });
  }

  #readLine(text: string): void {
    const line = this.#at;
    if (/^[ \t]*-----BEGIN/.test(text)) {
      this.#report(notice('pem-outside'));
      this.#passOverPem();
      return;
    }
    const cut = splitWords(text);
    const fault = findFault(text.slice(0, cut?.end));
    if (fault !== null || cut === null) {
      this.#report(fault ?? notice('quote-unpaired'));
      return;
    }
    if (cut.words.length === 0) return;
    const [first, ...values] = cut.words as [string, ...string[]];
    const name = first.length >= 3 ? first.replace(/^--/, '') : first;
    if (/^<.+>$/.test(name)) this.#readBlock(name.slice(1, -1), values.length > 0);
    else this.directives.push({ line, name, values });
  }

  /** From the line after the opening tag to the closing one. */
  #readBlock(tag: string, hasMore: boolean): void {
    const line = this.#at;
    const shown = tag.replace(/^\//, '').toLowerCase();
    const isKnown = isKnownTag(tag);
    if (isKnown && hasMore) this.#report(notice('block-not-alone', { tag }));
    if (!isKnown) {
      if (!isKnownTag(shown)) this.#report(notice('block-not-allowed'));
      else {
        const code = tag.startsWith('/') ? 'block-not-open' : 'block-not-lower';
        this.#report(notice(code, { tag: shown }));
      }
    }
    if (tag.startsWith('/')) {
      this.broken.add(shown);
      return;
    }
    const body = this.#readBody(tag, isKnown ? `<${tag}>` : notice('some-block'));
    if (isKnown && !hasMore && body) this.blocks.push({ line, tag, body });
    else this.broken.add(shown);
  }

  /** @returns null when the block has no end. */
  #readBody(tag: string, block: NoticeValue): BodyLine[] | null {
    const opened = this.#at;
    const closing = `</${tag}>`;
    const body: BodyLine[] = [];
    while (this.#at < this.#lines.length) {
      const text = this.#lines[this.#at++]!.replace(/^[ \t]+/, '');
      if (text.startsWith(closing)) {
        if (!/^[ \t]*([#;].*)?$/.test(text.slice(closing.length))) {
          this.#report(notice('block-end-not-alone', { block }));
        }
        return body;
      }
      if (text.toLowerCase().startsWith(closing.toLowerCase())) {
        this.#report(notice('block-end-not-lower', { block }));
        return body;
      }
      if (/^<\/?[A-Za-z0-9-]+>/.test(text)) {
        this.#at--;
        break;
      }
      if (text === '' || /^[#;]/.test(text)) continue;
      const fault = findFault(text);
      if (fault === null) body.push({ line: this.#at, text });
      else this.#report(fault);
      // Meant as the end, behind a blank that OpenVPN does not know.
      if (text.trim().startsWith(closing)) return body;
    }
    const unended = isKnownTag(tag)
      ? notice('block-unended-known', { block, end: closing })
      : notice('block-unended', { block });
    this.#report(unended, opened);
    return null;
  }

  /** Else each of its lines would be an unknown directive. */
  #passOverPem(): void {
    while (this.#at < this.#lines.length) {
      const text = this.#lines[this.#at]!;
      if (/^[ \t]*<\//.test(text)) return;
      this.#at++;
      if (text.includes('-----END')) return;
    }
  }
}

/** What no part of a profile but a comment may hold. */
function findFault(text: string): Notice | null {
  const foreign = /[^\x20-\x7e\t]/u.exec(text)?.[0];
  if (foreign !== undefined) {
    const character = foreign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    return notice('foreign-character', { character });
  }
  if (text.length > MAX_LINE_BYTES) return notice('line-too-long', { most: MAX_LINE_BYTES });
  return null;
}
