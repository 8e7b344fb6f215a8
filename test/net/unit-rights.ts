// The rights that a unit of systemd leaves a command, given to it where there is no systemd.

/** What to put in front of the command. @param unit its text */
export function limitRights(unit: string): string[] {
  const [, names] = /^CapabilityBoundingSet=(.*)$/m.exec(unit)!;
  // In place of LimitNICE, which not every machine lets root raise.
  const kept = `${names} CAP_SYS_NICE`.split(' ').map((name) => name.slice(4).toLowerCase());
  const set = ['-all', ...kept.map((name) => `+${name}`)].join(',');
  return ['setpriv', `--bounding-set=${set}`, '--no-new-privs'];
}
