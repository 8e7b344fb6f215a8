// What was looked at on a platform, a line each, and whether all was as it should be.

export class Report {
  readonly #begunMs = performance.now();
  #failures = 0;

  /** Prints a line. @param found what was there instead */
  tell(isRight: boolean, what: string, found: unknown = ''): void {
    const seconds = ((performance.now() - this.#begunMs) / 1000).toFixed(0).padStart(4);
    console.log(`${seconds} s  ${isRight ? 'yes' : 'NO '}  ${what}${isRight ? '' : `: ${found}`}`);
    if (!isRight) this.#failures++;
  }

  /** Says how it went, also by the program's exit status. */
  end(platform: string): void {
    const failed = `${this.#failures} not as it should be`;
    console.log(`${platform}: ${this.#failures === 0 ? 'all as it should be' : failed}`);
    process.exitCode = this.#failures === 0 ? 0 : 1;
  }
}
