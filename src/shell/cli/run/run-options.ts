// Options of `iotshaper run`, read without a library: the service is to carry no command line about.

/** What is not given is where the package has it. */
export interface RunOptions {
  config?: string;
  runDir?: string;
  stateDir?: string;
  ubus?: string;
}

const fields: Readonly<Record<string, keyof RunOptions>> = {
  '--config': 'config',
  '--run-dir': 'runDir',
  '--state-dir': 'stateDir',
  '--ubus': 'ubus',
};

/**
 * Reads options each with a value behind it.
 *
 * @param words of the command line behind the program's name
 * @returns null for other commands, and for everything else the command line knows or has something to say about
 */
export function readRunOptions([command, ...words]: readonly string[]): RunOptions | null {
  if (command !== 'run') return null;
  const options: RunOptions = {};
  for (let i = 0; i < words.length; i += 2) {
    const [name = '', value] = words.slice(i);
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined || value === undefined || value.startsWith('-')) return null;
    options[field] = value;
  }
  return options;
}
