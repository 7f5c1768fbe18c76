import { call } from '../../client/request.ts'
import { findServer } from '../../client/server-address.ts'
import type { Define } from '../../define.ts'

/** `millrace workflows schema`: the JSON Schema of workflow files, for editors. */
export const defineSchema: Define = (command, context) => {
  command
    .summary('print the JSON Schema of workflow files')
    .description(
      'print the JSON Schema of files of workflows; the server has it at /schemas/workflow.json too, for a first line\n' +
        '# yaml-language-server: $schema=http://127.0.0.1:7070/schemas/workflow.json',
    )
    .action(async () => {
      const schema = await call<unknown>(findServer(context), { path: '/schemas/workflow.json' })
      context.stdout.write(`${JSON.stringify(schema, null, 2)}\n`)
    })
}
