/**
 * `millrace completion`: a script for bash, zsh or fish that completes commands and flags. It is made from the commands
 * themselves, so that it never falls behind them.
 */
import type { Command } from 'commander'
import { CommandError } from './failure.js'
import { printLine } from './output.js'

/** The words that may follow a command, by its words: `topic` → `list`, `describe`, …, `--help`. */
function wordsByPath(command: Command, path: readonly string[] = []): Map<string, string[]> {
  const words = [
    ...command.commands.map((one) => one.name()),
    ...command.options.map((option) => option.long ?? option.short ?? ''),
    '--help',
  ]
  const below = command.commands.flatMap((one) => [...wordsByPath(one, [...path, one.name()])])
  return new Map([[path.join(' '), words.filter((word) => word !== '')], ...below])
}

export function completion(shell: string, program: Command): void {
  const words = wordsByPath(program)
  const script = { bash, zsh, fish }[shell]
  if (script === undefined)
    throw new CommandError(`There is no completion for ${shell}: it is bash, zsh or fish.`)
  printLine(script(words))
}

function cases(words: ReadonlyMap<string, readonly string[]>): string {
  return [...words].map(([path, list]) => `    '${path}') words='${list.join(' ')}' ;;`).join('\n')
}

/** Both shells walk the words of the line and keep those that name a command. */
function walk(words: ReadonlyMap<string, readonly string[]>): string {
  const paths = [...words.keys()].filter((path) => path !== '').map((path) => `'${path}'`)
  return `  local path='' word next words=''
  for word in "\${line[@]}"; do
    next="\${path:+$path }$word"
    case "$next" in
      ${paths.join('|')}) path="$next" ;;
    esac
  done
  case "$path" in
${cases(words)}
  esac`
}

function bash(words: ReadonlyMap<string, readonly string[]>): string {
  return `# millrace completion bash > /etc/bash_completion.d/millrace, or: source <(millrace completion bash)
_millrace() {
  local line=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${walk(words)}
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _millrace millrace`
}

function zsh(words: ReadonlyMap<string, readonly string[]>): string {
  return `#compdef millrace
# millrace completion zsh > a folder of $fpath, named _millrace
_millrace() {
  local -a line=("\${(@)words[2,CURRENT-1]}")
  _millrace_words() {
${walk(words).replaceAll(/^/gm, '  ')}
    compadd -- \${=words}
  }
  _millrace_words
}
compdef _millrace millrace`
}

function fish(words: ReadonlyMap<string, readonly string[]>): string {
  const lines = [...words].flatMap(([path, list]) =>
    list.map((word) => {
      const condition = path === '' ? '__fish_use_subcommand' : `__millrace_at ${path}`
      return word.startsWith('--')
        ? `complete -c millrace -n '${condition}' -l ${word.slice(2)}`
        : `complete -c millrace -f -n '${condition}' -a ${word}`
    }),
  )
  return `# millrace completion fish > ~/.config/fish/completions/millrace.fish
function __millrace_at
  set -l line (commandline -opc)
  set -e line[1]
  set -l named (string match -v -- '-*' $line)
  test "$named[1..(count $argv)]" = "$argv"
end
${lines.join('\n')}`
}
