// Parses UCI configuration files with the semantics of OpenWrt's own libuci.

import { UciLines } from './uci-lines.ts';
import { anonymousName, isUciName, isUciType } from './uci-names.ts';
import { decodeText, encodeText } from './uci-text.ts';

/** One section; options keep the order in which they first appeared. */
export interface UciSection {
  type: string;
  /** For an anonymous section the name libuci makes up (`cfg` + counter + hash of the type). */
  name: string;
  anonymous: boolean;
  /** A string for `option`, an array for `list`; never an empty string, never an empty array. */
  options: Map<string, string | string[]>;
}

/** What one file in /etc/config holds. */
export interface UciPackage {
  name: string;
  sections: UciSection[];
}

/** A file libuci refuses, with its own wording: `uci: Parse error (REASON) at line N, byte M`. */
export class UciError extends Error {
  /** What libuci calls the reason, or the whole error where it has none. */
  readonly reason: string;
  /** Lines ended before the error, as libuci counts them; 0 where it names no place. */
  readonly line: number;
  /** Offset in libuci's line buffer, from 0. */
  readonly byte: number;

  constructor(reason: string, line?: number, byte = 0) {
    super(
      line === undefined
        ? `uci: ${reason}`
        : `uci: Parse error (${reason}) at line ${line}, byte ${byte}`,
    );
    this.name = 'UciError';
    this.reason = reason;
    this.line = line ?? 0;
    this.byte = byte;
  }
}

const code = (character: string) => character.charCodeAt(0);
const [singleQuote, doubleQuote, backslash, hash, semicolon] = [...`'"\\#;`].map(code);
const [newline, carriageReturn, space, tab] = [...'\n\r \t'].map(code);

/** isspace(3) of the C locale. */
function isSpace(byte: number): boolean {
  return byte === space || (byte >= 0x09 && byte <= 0x0d);
}

/** file.c of libuci, function by function: its way of writing to the line while reading it shows. */
class UciParser {
  readonly #package: UciPackage;
  readonly #byName = new Map<string, UciSection>();
  readonly #lines: UciLines;
  #section: UciSection | null = null;
  #at = 0;

  constructor(input: Uint8Array, packageName: string) {
    this.#lines = new UciLines(input);
    this.#package = { name: packageName, sections: [] };
  }

  parse(): UciPackage {
    while (!this.#lines.atEnd) {
      this.#at = 0;
      this.#lines.read(0);
      if (this.#byte(0) !== 0) this.#parseLine();
    }
    return this.#package;
  }

  #byte(at: number): number {
    return this.#lines.bytes[at] ?? 0;
  }

  #current(): number {
    return this.#byte(this.#at);
  }

  /** Bytes from `at` up to the 0 that ends them. */
  #text(at: number): string {
    const { bytes } = this.#lines;
    return decodeText(bytes.subarray(at, bytes.indexOf(0, at)));
  }

  #fail(reason: string): never {
    throw new UciError(reason, this.#lines.line, this.#at);
  }

  /** A line may hold several commands, divided by semicolons. */
  #parseLine(): void {
    this.#skipSpace();
    while (true) {
      const word = this.#cutWord();
      if (word === null || word.startsWith('#')) return;
      if (word === 'p' || word === 'package') this.#parsePackage();
      else if (word === 'c' || word === 'config') this.#parseConfig();
      else if (word === 'o' || word === 'option') this.#parseOption(false);
      else if (word === 'l' || word === 'list') this.#parseOption(true);
      else this.#fail('invalid command');
    }
  }

  /** strtok(3) with blanks and tabs: ends the next word with a 0, without moving on. */
  #cutWord(): string | null {
    let start = this.#at;
    while (this.#byte(start) === space || this.#byte(start) === tab) start++;
    if (this.#byte(start) === 0) return null;
    let end = start;
    while (this.#byte(end) !== 0 && this.#byte(end) !== space && this.#byte(end) !== tab) end++;
    this.#lines.bytes[end] = 0;
    return this.#text(start);
  }

  /** Moves behind the word that `#cutWord` ended. */
  #passWord(failure: string): void {
    const end = this.#lines.bytes.indexOf(0, this.#at);
    if (end + 1 > this.#lines.filled) this.#fail(failure);
    this.#at = end + 1;
  }

  /** `package NAME`: checked and, one package being read, without effect. */
  #parsePackage(): void {
    this.#passWord('package without name');
    const name = this.#nextArgument();
    if (name === '') this.#fail('insufficient arguments');
    // Names in a file are held to more than the names of files (`uci_validate_str`).
    if (!/^[\w-]+$/.test(name)) this.#fail('invalid character in name field');
    this.#expectEnd();
  }

  #parseConfig(): void {
    this.#passWord('config without name');
    const type = this.#nextArgument();
    if (type === '') this.#fail('insufficient arguments');
    if (!isUciType(type)) this.#fail('invalid character in type field');
    const name = this.#nextArgument();
    if (name !== '' && !isUciName(name)) this.#fail('invalid character in name field');
    this.#expectEnd();
    const known = name === '' ? undefined : this.#byName.get(name);
    if (known !== undefined && known.type !== type)
      this.#fail('section of different type overwrites prior section with same name');
    this.#section = known ?? this.#addSection(type, name);
  }

  #addSection(type: string, name: string): UciSection {
    const anonymous = name === '';
    const section: UciSection = {
      type,
      name: anonymous ? anonymousName(type, this.#package.sections.length + 1) : name,
      anonymous,
      options: new Map(),
    };
    this.#package.sections.push(section);
    if (!this.#byName.has(section.name)) this.#byName.set(section.name, section);
    return section;
  }

  #parseOption(list: boolean): void {
    if (this.#section === null) this.#fail('option/list command found before the first section');
    this.#passWord('option without name');
    const name = this.#nextArgument();
    if (name === '') this.#fail('insufficient arguments');
    if (!isUciName(name)) this.#fail('invalid character in name field');
    const value = this.#nextArgument();
    this.#expectEnd();
    const { options } = this.#section;
    const old = options.get(name);
    if (!list) {
      // An option set to nothing is no option, and leaves one set before as it was.
      if (value !== '') options.set(name, value);
    } else if (Array.isArray(old)) old.push(value);
    else options.set(name, old === undefined ? [value] : [old, value]);
  }

  #expectEnd(): void {
    if (this.#nextArgument() !== '') this.#fail('too many arguments');
  }

  #skipSpace(): void {
    while (isSpace(this.#current())) this.#at++;
  }

  /** The next argument without its quotes, '' at the end of the command. */
  #nextArgument(): string {
    this.#skipSpace();
    const start = this.#at;
    if (this.#current() === semicolon) {
      this.#lines.bytes[start] = 0;
      this.#at++;
      return '';
    }
    this.#unquote();
    return this.#text(start);
  }

  /** Takes quotes and backslashes out of the argument at the current place, in place. */
  #unquote(): void {
    let target = this.#at;
    let skipEnd = true;
    do {
      const byte = this.#current();
      if (byte === singleQuote) target = this.#unquoteSingle(target);
      else if (byte === doubleQuote) target = this.#unquoteDouble(target);
      else if (byte === hash) {
        this.#lines.bytes[this.#at] = 0;
        break;
      } else if (byte === 0) break;
      else if (byte === semicolon) {
        skipEnd = false;
        break;
      } else if (byte !== backslash || this.#passBackslash()) target = this.#copy(target);
    } while (this.#current() !== 0 && !isSpace(this.#current()));
    // The byte behind is about to be overwritten, unless a quote made room.
    if (this.#current() !== 0 && skipEnd) this.#at++;
    this.#lines.bytes[target] = 0;
  }

  #copy(target: number): number {
    this.#lines.bytes[target] = this.#current();
    this.#at++;
    return target + 1;
  }

  #unquoteSingle(start: number): number {
    let target = start;
    this.#at++;
    while (true) {
      const byte = this.#current();
      if (byte === singleQuote) {
        this.#at++;
        return target;
      }
      if (byte === 0) this.#continueValue("EOF with unterminated '");
      else target = this.#copy(target);
    }
  }

  #unquoteDouble(start: number): number {
    let target = start;
    this.#at++;
    while (true) {
      const byte = this.#current();
      if (byte === doubleQuote) {
        this.#at++;
        return target;
      }
      if (byte === 0) this.#continueValue('EOF with unterminated "');
      else if (byte !== backslash || this.#passBackslash()) target = this.#copy(target);
    }
  }

  /** A quoted value goes on in the next line. */
  #continueValue(failure: string): void {
    this.#lines.read(this.#at);
    if (this.#current() === 0) this.#fail(failure);
  }

  /** Whether the byte behind the backslash stands for itself; else the next line is appended. */
  #passBackslash(): boolean {
    this.#at++;
    const [first, second, third] = [0, 1, 2].map((ahead) => this.#byte(this.#at + ahead));
    const lineEnds =
      first === 0 ||
      first === newline ||
      (first === carriageReturn && second === newline && third === 0);
    if (lineEnds) this.#lines.read(this.#at);
    return !lineEnds;
  }
}

/**
 * Parses one configuration file as libuci does (openwrt/uci file.c and list.c, strict mode): same
 * values, same verdict, same error with line and byte. A `package` line is checked and otherwise
 * ignored, as for any file in /etc/config.
 *
 * @param text the file; bytes that are not UTF-8 survive as described at `decodeText`
 * @param packageName what the package is called in messages and output
 * @throws UciError and nothing else, whatever the bytes
 */
export function parseUci(text: string | Uint8Array, packageName: string): UciPackage {
  const input = typeof text === 'string' ? encodeText(text) : text;
  try {
    return new UciParser(input, packageName).parse();
  } catch (error) {
    if (error instanceof RangeError) throw new UciError('Out of memory');
    throw error;
  }
}
