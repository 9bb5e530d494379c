import { Argument, type Command } from 'commander';
import type { Context } from '../context.ts';

/** `completion bash|zsh`: prints what the shell needs to complete commands and options with the Tab key. */
export function addCompletion(program: Command, { output }: Context): void {
  program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh']))
    .addHelpText(
      'after',
      '\nFor the command `outbox`, such as an alias of `npm run --silent outbox --`:\n' +
        '  bash: source <(outbox completion bash)\n  zsh:  source <(outbox completion zsh)',
    )
    .action((shell: 'bash' | 'zsh') => {
      const script = shell === 'bash' ? bashScript : zshScript;
      output.print(...script(wordsOf(program)));
    });
}

type Words = { name: string; description: string; options: string[] }[];

function wordsOf(program: Command): Words {
  return program.commands.map(command => ({
    name: command.name(),
    description: command.description(),
    options: command.options.flatMap(option => option.long ?? []),
  }));
}

function bashScript(words: Words): string[] {
  return [
    '_outbox() {',
    `  local current=\${COMP_WORDS[COMP_CWORD]} words`,
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words="${words.map(({ name }) => name).join(' ')} --help"`,
    '  else',
    `    case "\${COMP_WORDS[1]}" in`,
    ...words.map(({ name, options }) => `      ${name}) words="${[...options, '--help'].join(' ')}" ;;`),
    '    esac',
    '  fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -F _outbox outbox',
  ];
}

function zshScript(words: Words): string[] {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  return [
    '#compdef outbox',
    '_outbox() {',
    '  if (( CURRENT == 2 )); then',
    '    local -a commands',
    '    commands=(',
    ...words.map(({ name, description }) => `      ${quoted(`${name}:${description}`)}`),
    '    )',
    '    _describe command commands',
    '  else',
    '    case "$words[2]" in',
    ...words.map(({ name, options }) => `      ${name}) compadd -- ${[...options, '--help'].join(' ')} ;;`),
    '    esac',
    '  fi',
    '}',
    'compdef _outbox outbox',
  ];
}
