// The dead man's switch: commands that fill and empty the set `alive`, whatever a role keeps in it.
import { ALIVE_SECONDS, TABLE } from '../names.ts';

/**
 * The commands that let these elements go on for {@link ALIVE_SECONDS} more; none for no element. An element's time-out
 * is not renewed by adding it again on kernels before 6.12, hence the deletion between, in one transaction.
 *
 * @param elements protocols of devices at a home, tunnel addresses of homes at an endpoint.
 */
export function renderAlive(elements: readonly string[]): string {
  if (elements.length === 0) return '';
  const timed = elements.map((element) => `${element} timeout ${ALIVE_SECONDS}s`).join(', ');
  const set = `element inet ${TABLE} alive`;
  return [
    `add ${set} { ${timed} }`,
    `delete ${set} { ${elements.join(', ')} }`,
    `add ${set} { ${timed} }`,
    '',
  ].join('\n');
}

/** The commands that stop everybody at once. */
export function renderNotAlive(): string {
  return `flush set inet ${TABLE} alive\n`;
}

/** The elements that {@link renderAlive} rendered commands for. */
export function aliveElements(commands: string): string[] {
  const listed = /^delete element .* \{ (.*) \}$/m.exec(commands)?.[1];
  return listed === undefined ? [] : listed.split(', ');
}
