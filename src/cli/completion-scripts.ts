import type { Command, Option } from 'commander'

/** Shells with a completion script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const
/** A shell with a completion script. */
export type Shell = (typeof SHELLS)[number]

/** A command for completion: the words that lead to it, each after a space (empty for the program), and what may follow. */
type Place = {
  readonly path: string
  readonly commands: readonly Command[]
  readonly options: readonly Option[]
  /** Values of its arguments. */
  readonly choices: readonly string[]
}

const placesOf = (command: Command, path = ''): readonly Place[] => {
  const help = command.createHelp()
  const commands = help.visibleCommands(command)
  // `millrace jobs --status` and `millrace runs --status` are both a list.
  const list = commands.find(child => child.name() === 'list')
  const options = [...help.visibleOptions(command), ...(list?.options ?? [])]
  const choices = command.registeredArguments.flatMap(argument => argument.argChoices ?? [])
  return [
    { path, commands, options, choices },
    ...commands.flatMap(child => placesOf(child, `${path} ${child.name()}`)),
  ]
}

const takesValue = (option: Option): boolean => option.required || option.optional
const flagsOf = ({ short, long }: Option): readonly string[] => [short, long].filter(flag => flag !== undefined)
const wordsOf = ({ commands, choices }: Place): string =>
  [...commands.map(command => command.name()), ...choices].join(' ')

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const patterns = (texts: readonly string[]): string => texts.map(quoted).join('|')

/**
 * Shared by bash and zsh: sets `words` to the candidates at the cursor, from `line` (its words, from 0), `cursor` (the index of the current word), `word` and
 * `previous`. Evaluates nothing from the line.
 */
const findWords = (places: readonly Place[]): string => {
  const values = places.flatMap(({ path, options }) =>
    options.filter(takesValue).map(option => ({
      after: flagsOf(option).map(flag => `${path} ${flag}`),
      choices: (option.argChoices ?? []).join(' '),
    })),
  )
  const longFlags = (options: readonly Option[]) => options.flatMap(({ long }) => long ?? []).join(' ')
  return `  for ((i = 1; i < cursor; i++)); do
    [[ \${line[i]} == -- ]] && return
    case "$at \${line[i]}" in
      ${patterns(places.slice(1).map(({ path }) => path))})
        at="$at \${line[i]}" ;;
    esac
  done
  case "$at" in
${places.map(place => `    ${quoted(place.path)}) arguments=${quoted(wordsOf(place))} flags=${quoted(longFlags(place.options))} ;;`).join('\n')}
  esac
  case "$at $previous" in
${values.map(({ after, choices }) => `    ${patterns(after)}) words=${quoted(choices)} ;;`).join('\n')}
    *) if [[ $word == -* ]]; then words=$flags; else words=$arguments; fi ;;
  esac`
}

const bash = (program: Command): string => `# bash completion of millrace
_millrace() {
  local cursor=$COMP_CWORD word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local at= arguments= flags= words= i
  local line=("\${COMP_WORDS[@]}")
  # bash splits --mode=append into three words.
  if [[ $word == = ]]; then word=; elif [[ $previous == = ]]; then previous=\${line[cursor - 2]}; fi
${findWords(placesOf(program))}
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _millrace millrace
`

const zsh = (program: Command): string => `# zsh completion of millrace
_millrace() {
  local found=
  __millrace_words
  if [[ -n $found ]]; then compadd -- \${=found}; else _files; fi
}
__millrace_words() {
  setopt localoptions ksharrays
  local cursor=$((CURRENT - 1)) word=$PREFIX previous=\${words[CURRENT - 2]}
  local at= arguments= flags= i
  local -a line=("\${words[@]}")
  local words=
  # --mode=append is one word. Without compstate, what compset does would be undone at the end of this function.
  if [[ $word == --*=* ]]; then previous=\${word%%=*} && compset -P '*=' && compstate[restore]=; fi
${findWords(placesOf(program))}
  found=$words
}
compdef _millrace millrace
`

const fish = (program: Command): string => {
  const places = placesOf(program)
  const lines = places.flatMap(({ path, commands, options, choices }) => [
    ...commands.map(command =>
      completeFish(path, `-f -a ${command.name()} -d ${quoted(command.summary() || command.description())}`),
    ),
    ...choices.map(choice => completeFish(path, `-f -a ${choice}`)),
    ...options.map(option => completeFish(path, fishOption(option))),
  ])
  return `# fish completion of millrace
function __millrace_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    test "$word" = --; and return 1
    contains -- "$at $word" ${places
      .slice(1)
      .map(({ path }) => quoted(path))
      .join(' ')}; and set at "$at $word"
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`
}

const completeFish = (path: string, what: string): string =>
  `complete -c millrace -n ${quoted(`__millrace_at ${quoted(path)}`)} ${what}`

const fishOption = (option: Option): string => {
  const { short, long, description, argChoices } = option
  const flags = [short && `-s ${short.slice(1)}`, long && `-l ${long.slice(2)}`].filter(Boolean).join(' ')
  const value = argChoices ? ` -x -a ${quoted(argChoices.join(' '))}` : takesValue(option) ? ' -r' : ''
  return `${flags}${value} -d ${quoted(description)}`
}

/** The script for each shell, for all commands of `program`. It runs neither `millrace` nor any word of the line. */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, (program: Command) => string>> = { bash, zsh, fish }
