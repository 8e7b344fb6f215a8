// Cuts a profile into directives and blocks, where OpenVPN cuts it (options_parse.c: parse_line, read_inline_file).
import { isKnownTag } from './profile-names.ts';

/** One thing wrong with a profile. */
export interface ProfileProblem {
  /** From 1; 0 when the fault is in no one line. */
  line: number;
  /** Never quotes what could be a part of a key. */
  message: string;
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

const TOO_LONG = `is longer than ${MAX_LINE_BYTES} bytes, which OpenVPN does not read as one line`;
const BINARY = 'holds a control character; upload the file as the endpoint printed it';
const OUTSIDE =
  'a certificate or key stands outside of its block; put it between <cert> and </cert>, or <key> and </key>';

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
  return binary < 0 ? null : { line: binary + 1, message: BINARY };
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

  #report(message: string, line = this.#at): void {
    this.problems.push({ line, message });
  }

  #readLine(text: string): void {
    const line = this.#at;
    if (/^[ \t]*-----BEGIN/.test(text)) {
      this.#report(OUTSIDE);
      this.#passOverPem();
      return;
    }
    const cut = splitWords(text);
    const fault = findFault(text.slice(0, cut?.end));
    if (fault !== null || cut === null) {
      this.#report(fault ?? 'has a quotation mark without its pair');
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
    if (isKnown && hasMore) this.#report(`<${tag}>: must stand alone on its line`);
    if (!isKnown) {
      if (!isKnownTag(shown)) this.#report('opens a block that is not allowed; remove it');
      else if (tag.startsWith('/')) this.#report(`</${shown}>: closes a block that is not open`);
      else this.#report(`<${shown}>: must be written in lower case`);
    }
    if (tag.startsWith('/')) {
      this.broken.add(shown);
      return;
    }
    const body = this.#readBody(tag, isKnown ? `<${tag}>` : 'a block');
    if (isKnown && !hasMore && body) this.blocks.push({ line, tag, body });
    else this.broken.add(shown);
  }

  /** @returns null when the block has no end. */
  #readBody(tag: string, shown: string): BodyLine[] | null {
    const opened = this.#at;
    const closing = `</${tag}>`;
    const body: BodyLine[] = [];
    while (this.#at < this.#lines.length) {
      const text = this.#lines[this.#at++]!.replace(/^[ \t]+/, '');
      if (text.startsWith(closing)) {
        if (!/^[ \t]*([#;].*)?$/.test(text.slice(closing.length))) {
          this.#report(`the end of ${shown}: must stand alone on its line`);
        }
        return body;
      }
      if (text.toLowerCase().startsWith(closing.toLowerCase())) {
        this.#report(`the end of ${shown}: must be written in lower case`);
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
    this.#report(`${shown}: has no end${isKnownTag(tag) ? ` (${closing})` : ''}`, opened);
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
function findFault(text: string): string | null {
  const foreign = /[^\x20-\x7e\t]/u.exec(text)?.[0];
  if (foreign !== undefined) {
    const code = foreign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    return `holds the character U+${code}; outside of comments a profile is plain ASCII, so remove it`;
  }
  if (text.length > MAX_LINE_BYTES) return TOO_LONG;
  return null;
}
