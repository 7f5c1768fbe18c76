import { Argument } from 'commander'
import { COMPLETION_SCRIPTS, SHELLS, type Shell } from '../completion-scripts.ts'
import type { Define } from '../define.ts'

/** `millrace completion bash`: a completion script for the shell. The script never runs `millrace`, nor anything from the command line being completed. */
export const completion: Define = (command, context) => {
  command
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
bash, in ~/.bashrc:                   source <(millrace completion bash)
zsh, in ~/.zshrc, after compinit:     source <(millrace completion zsh)
fish, in ~/.config/fish/config.fish:  millrace completion fish | source`,
    )
    .action((shell: Shell) => {
      context.stdout.write(COMPLETION_SCRIPTS[shell](command.parent!))
    })
}
