import { putPipe } from '../../client/pipes.ts'
import { findServer } from '../../client/server-address.ts'
import type { Define } from '../../define.ts'
import { EXIT } from '../../exit-code.ts'
import { CliFailure } from '../../failure.ts'
import { readDefinitions } from '../../read-definitions.ts'

/** `millrace pipes apply FILE…`: makes pipes what files say, one after the other; stops at the first that is refused. */
export const defineApply: Define = (command, context) => {
  command
    .description('make or replace the pipes of files, in their order')
    .argument('<file...>', 'JSON or YAML as the API takes it, one pipe a document; - reads standard input')
    .action(async (files: readonly string[]) => {
      const server = findServer(context)
      for (const file of files)
        for (const definition of await readDefinitions(file, context)) {
          const { name } = definition
          if (typeof name !== 'string') throw new CliFailure(`${file}: a pipe has no name`, { exitCode: EXIT.usage })
          context.stdout.write(`${name} ${await putPipe(server, { name, definition })}\n`)
        }
    })
}
