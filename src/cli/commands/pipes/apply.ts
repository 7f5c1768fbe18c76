import { type PipeAnswer, putPipe } from '../../client/pipes.ts'
import { findServer } from '../../client/server-address.ts'
import type { Define } from '../../define.ts'
import { EXIT } from '../../exit-code.ts'
import { CliFailure } from '../../failure.ts'
import { placeText } from '../../local-file.ts'
import { type Definition, readDefinitions } from '../../read-definitions.ts'
import { notes } from '../../terminal/note.ts'

/** `millrace pipes apply FILE…`: creates or replaces pipes as in the files, one after another; stops at the first refusal. */
export const defineApply: Define = (command, context) => {
  command
    .description('create or replace the pipes in files, in the given order')
    .argument('<file...>', 'JSON or YAML request bodies of the API, one pipe per document; - reads standard input')
    .action(async (files: readonly string[]) => {
      const server = findServer(context)
      for (const file of files)
        for (const definition of await readDefinitions(file, context)) {
          const { name } = definition
          if (typeof name !== 'string')
            throw new CliFailure(`${placeText(file)}: a pipe has no name`, { exitCode: EXIT.usage })
          const done = await putPipe(server, { name, definition })
          context.stdout.write(`${name} ${done}\n`)
          if (done === 'created') for (const text of beginnings(name, definition)) notes(context)(text)
        }
    })
}

/** A new materialized node's data source is empty, which surprises people who have just created it. */
const beginnings = (pipe: string, { nodes }: Definition): readonly string[] =>
  (nodes as PipeAnswer['nodes']).flatMap(({ name, materialize_into: into }) =>
    into === undefined
      ? []
      : [`${into} gets what is appended from now on; what is there already: millrace populate ${pipe} ${name}`],
  )
