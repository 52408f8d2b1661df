/** What shells need to complete a command line of the package, made from the table of the commands. */

import { COMMON_OPTIONS, PROGRAM_OPTIONS } from './arguments.js';
import { COMMAND_OPTIONS, type Command, formOf, type Option, WORD_VALUES } from './command.js';

type Commands = ReadonlyMap<string, Command>;

/** The name by which the package is called. A checkout can have an alias of this name. */
const PROGRAM = 'alarm-twin';

/** What can stand next, with what it means. */
interface Choice {
  readonly word: string;
  readonly help: string;
}

/** A place in a command line: after these words. */
interface Place {
  readonly words: string;
  readonly choices: readonly Choice[];
}

const ALL_OPTIONS: Record<string, Option> = { ...COMMON_OPTIONS, ...PROGRAM_OPTIONS, ...COMMAND_OPTIONS };

const choicesOf = (options: Record<string, Option>): Choice[] =>
  Object.entries(options).map(([name, { help }]) => ({ word: `--${name}`, help }));

/** The programs of the package that are no command of the command line. */
const PROGRAMS: readonly Choice[] = [
  { word: 'server', help: 'runs the server' },
  { word: 'panel', help: 'runs a panel on this computer' },
];

/** Every place, the longer ones first. */
function placesOf(commands: Commands): Place[] {
  const names = [...commands.keys()];
  const groups = [
    ...new Set(names.flatMap((name) => (name.includes(' ') ? [name.split(' ')[0] ?? ''] : []))),
  ];
  const below = (group: string): Choice[] =>
    names
      .filter((name) => name.startsWith(`${group} `))
      .map((name) => ({ word: name.slice(group.length + 1), help: commands.get(name)?.help ?? '' }));
  const first = [...new Set(names.map((name) => name.split(' ')[0] ?? ''))].map((word) => ({
    word,
    help: commands.get(word)?.help ?? `commands about each ${word}`,
  }));
  const places = names.map((name) => ({ words: name, choices: choicesAfter(commands.get(name) as Command) }));
  const merged = places.map(({ words, choices }) => ({ words, choices: [...below(words), ...choices] }));
  const ofGroups = groups
    .filter((group) => !commands.has(group))
    .map((words) => ({ words, choices: below(words) }));
  const start = {
    words: '',
    choices: [...first, ...PROGRAMS, ...choicesOf({ ...COMMON_OPTIONS, ...PROGRAM_OPTIONS })],
  };
  const byLength = (one: Place, other: Place): number => other.words.length - one.words.length;
  return [...[...merged, ...ofGroups].sort(byLength), start];
}

function choicesAfter(command: Command): Choice[] {
  const values = formOf(command).flatMap(({ word }) => WORD_VALUES[word] ?? []);
  const own = Object.fromEntries(command.options.map((name) => [name, COMMAND_OPTIONS[name]]));
  return [...values.map((word) => ({ word, help: word })), ...choicesOf({ ...own, ...COMMON_OPTIONS })];
}

/** Options with a value, and what can stand there: some words, a directory, or what no shell knows. */
const VALUED = Object.entries(ALL_OPTIONS).filter(([, { type }]) => type === 'string');
const withValues = VALUED.filter(([, { values }]) => values !== undefined);
const withDirectory = VALUED.filter(([, { value }]) => value === 'DIRECTORY');
const withText = VALUED.filter(([, { value, values }]) => values === undefined && value !== 'DIRECTORY');

const alternatives = (options: [string, Option][]): string => options.map(([name]) => `--${name}`).join('|');

/** Shells read a text in single quotes as it is. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const wordsOf = (choices: readonly Choice[]): string => quoted(choices.map(({ word }) => word).join(' '));

const bash = (commands: Commands): string => `# Completion of ${PROGRAM} for bash.
_alarm_twin() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words
  COMPREPLY=()
  case "$previous" in
${withValues.map(([name, { values = [] }]) => `    --${name}) words=${quoted(values.join(' '))} ;;`).join('\n')}
    ${alternatives(withDirectory)}) COMPREPLY=($(compgen -d -- "$current")); return ;;
    ${alternatives(withText)}) return ;;
    *) case "\${COMP_WORDS[*]:1:COMP_CWORD-1} " in
${placesOf(commands)
  .map(
    ({ words, choices }) =>
      `      ${words === '' ? '*' : `${quoted(`${words} `)}*`}) words=${wordsOf(choices)} ;;`,
  )
  .join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _alarm_twin ${PROGRAM}`;

/** A colon parts a word from its help there. */
const described = ({ word, help }: Choice): string => quoted(`${word}:${help.replaceAll(':', '\\:')}`);

const zsh = (commands: Commands): string => `#compdef ${PROGRAM}
# Completion of ${PROGRAM} for zsh.
_alarm_twin() {
  local -a choices
  case "$words[CURRENT-1]" in
${withValues.map(([name, { values = [] }]) => `    --${name}) compadd -- ${values.join(' ')}; return ;;`).join('\n')}
    ${alternatives(withDirectory)}) _files -/; return ;;
    ${alternatives(withText)}) return ;;
  esac
  case "\${(j: :)words[2,CURRENT-1]} " in
${placesOf(commands)
  .map(
    ({ words, choices }) =>
      `    ${words === '' ? '*' : `${quoted(`${words} `)}*`}) choices=(${choices.map(described).join(' ')}) ;;`,
  )
  .join('\n')}
  esac
  _describe ${PROGRAM} choices
}
if [[ "$funcstack[1]" == _alarm_twin || "$funcstack[1]" == _${PROGRAM} ]]; then
  _alarm_twin "$@"
else
  compdef _alarm_twin ${PROGRAM}
fi`;

const fish = (commands: Commands): string =>
  [
    `# Completion of ${PROGRAM} for fish.`,
    'function __alarm_twin_after',
    '  set -l words (commandline -opc)',
    '  string match -q -- "$argv[1] *" "$words[2..-1] "',
    'end',
    `complete -c ${PROGRAM} -f`,
    ...placesOf(commands).flatMap(fishLines),
  ].join('\n');

function fishLines({ words, choices }: Place): string[] {
  const condition =
    words === '' ? 'test (count (commandline -opc)) -eq 1' : `__alarm_twin_after ${quoted(words)}`;
  return choices.map(({ word, help }) => {
    const start = `complete -c ${PROGRAM} -n ${quoted(condition)}`;
    if (!word.startsWith('--')) return `${start} -a ${quoted(word)} -d ${quoted(help)}`;
    const option = ALL_OPTIONS[word.slice(2)];
    const values = option?.values === undefined ? '' : ` -a ${quoted(option.values.join(' '))}`;
    const value = option?.type === 'string' ? (option.value === 'DIRECTORY' ? ' -r -F' : ` -x${values}`) : '';
    return `${start} -l ${word.slice(2)}${value} -d ${quoted(help)}`;
  });
}

const SHELLS: Record<string, (commands: Commands) => string> = { bash, zsh, fish };

/** @param shell bash, zsh or fish */
export const completionFor = (shell: string, commands: Commands): string => SHELLS[shell]?.(commands) ?? '';
