// The manual page and what bash completes, made of the command line's own table.

/** @typedef {import('commander').Command} Command */

/** In a package of their own. */
const RESEARCH = ['attack', 'simulate', 'lab'];

/**
 * Every command with the words that call it; research apart.
 *
 * @param {Command} command
 * @param {string[]} [path]
 * @returns {{ path: string[], command: Command }[]}
 */
export function listCommands(command, path = []) {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help' && !(path.length === 0 && RESEARCH.includes(one.name())))
    .flatMap((one) => {
      const here = [...path, one.name()];
      return [{ path: here, command: one }, ...listCommands(one, here)];
    });
}

/** @param {string} text as man(7) takes it */
function escaped(text) {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/gm, '\\&$1')
    .replace(
      /[^\x00-\x7e]/g,
      (letter) => `\\[u${letter.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
    );
}

/** @param {Command} command @param {string[]} path */
function renderCommand(command, path) {
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  return [
    `.SS "iotshaper ${escaped(path.join(' '))} ${escaped(command.usage().replace('[options] ', ''))}"`,
    escaped(command.description()),
    ...command.registeredArguments.flatMap((argument) => [
      '.TP',
      `.I ${escaped(argument.name())}`,
      escaped(help.argumentDescription(argument)),
    ]),
    ...options.flatMap((option) => [
      '.TP',
      `.B ${escaped(option.flags)}`,
      escaped(help.optionDescription(option)),
    ]),
  ];
}

/**
 * The page in man(7)'s language.
 *
 * @param {Command} program
 * @param {{ version: string, date: number }} made date in seconds since 1970
 */
export function renderManual(program, { version, date }) {
  const day = new Date(date * 1000).toISOString().slice(0, 10);
  return `${[
    `.TH IOTSHAPER 8 "${escaped(day)}" "iot\\-shaper ${version}"`,
    '.SH NAME',
    'iotshaper \\- hide what smart devices do from who watches their traffic',
    '.SH SYNOPSIS',
    '.B iotshaper',
    '.I command',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    escaped(program.description()),
    escaped('Every command says what it takes with --help.'),
    '.SH COMMANDS',
    ...listCommands(program)
      .filter(({ command }) => command.commands.length === 0)
      .flatMap(({ path, command }) => renderCommand(command, path)),
    '.SH EXIT STATUS',
    ...[
      ['0', 'done, and nothing found that is wrong'],
      ['1', 'something is wrong, or could not be done; what it is was said'],
      ['2', 'the command line is wrong'],
      ['3', 'no service runs that could be asked; of audit: too short to tell'],
      ['4', 'of audit: it could not be made'],
      ['78', 'of endpoint run: the kernel lacks what it needs'],
    ].flatMap(([status, meaning]) => ['.TP', `.B ${status}`, escaped(meaning ?? '')]),
    '.SH FILES',
    ...[
      ['/etc/iotshaper/iotshaper', "a home's configuration, /etc/config/iotshaper on OpenWrt"],
      ['/etc/iotshaper/endpoint', "a server's keys and homes: secret"],
      ['/var/run/iotshaper', 'sockets and temporary files of a service'],
    ].flatMap(([file, what]) => ['.TP', `.I ${escaped(file ?? '')}`, escaped(what ?? '')]),
  ].join('\n')}\n`;
}

/**
 * What bash sources; files are completed where nothing else is.
 *
 * @param {Command} program
 */
export function renderCompletion(program) {
  const commands = [
    { path: /** @type {string[]} */ ([]), command: program },
    ...listCommands(program),
  ];
  const groups = commands.filter(({ command }) => command.commands.length > 0);
  const wordsOf = (/** @type {string[]} */ path) =>
    listCommands(program)
      .filter(
        (one) =>
          one.path.length === path.length + 1 && path.every((word, i) => one.path[i] === word),
      )
      .map((one) => one.path.at(-1));
  const known = groups.flatMap(({ path }) =>
    wordsOf(path).map((word) => [...path, word].join(' ')),
  );
  const optionsOf = (/** @type {Command} */ command) =>
    command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ long }) => long ?? []);
  return `# What bash completes of iotshaper's commands and options; made with the program.
_iotshaper() {
	local current=\${COMP_WORDS[COMP_CWORD]} path='' word options='' words=''
	for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case "\${path:+$path }$word" in
		${known.map((one) => `"${one}"`).join(' | ')}) path="\${path:+$path }$word" ;;
		esac
	done
	case "$path" in
${commands
  .map(
    ({ path, command }) => `	"${path.join(' ')}")
		words="${wordsOf(path).join(' ')}"
		options="${optionsOf(command).join(' ')}"
		;;`,
  )
  .join('\n')}
	esac
	COMPREPLY=()
	case "$current" in
	-*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current") ;;
	*) [ -z "$words" ] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
	esac
}
complete -o default -F _iotshaper iotshaper
`;
}
