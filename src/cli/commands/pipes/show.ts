import { getPipe, type NodeAnswer, type PipeAnswer } from '../../client/pipes.ts'
import { findServer } from '../../client/server-address.ts'
import type { CliContext } from '../../context.ts'
import type { Define } from '../../define.ts'
import { paint } from '../../terminal/colour.ts'
import { fieldsText } from '../../terminal/fields.ts'
import { plainLines } from '../../terminal/plain-text.ts'
import { timeText } from '../../terminal/quantity-text.ts'

type ShowOptions = { readonly json?: boolean; readonly definition?: boolean }

/** `millrace pipes show NAME`: the nodes of a pipe. */
export const defineShow: Define = (command, context) => {
  command
    .description('show one pipe')
    .argument('<name>', 'name or id of the pipe')
    .option('--json', 'print JSON')
    .option('--definition', 'print only the definition, as a file for pipes apply')
    .action(async (name: string, options: ShowOptions) => {
      const pipe = await getPipe(findServer(context), name)
      const shown = options.definition ? definitionOf(pipe) : pipe
      if (options.json) context.stdout.write(`${JSON.stringify(shown, null, 2)}\n`)
      else context.stdout.write(options.definition ? await definitionText(pipe) : describe(pipe, context))
    })
}

const definitionOf = ({ name, description, nodes }: PipeAnswer) => ({
  name,
  ...(description !== null && { description }),
  nodes,
})

const definitionText = async (pipe: PipeAnswer): Promise<string> => {
  const { stringify } = await import('yaml')
  return stringify(definitionOf(pipe))
}

const describe = (pipe: PipeAnswer, context: CliContext): string => {
  const fields = fieldsText(context, [
    { name: 'pipe', value: pipe.pipe_id },
    { name: 'name', value: pipe.name },
    { name: 'description', value: pipe.description },
    { name: 'created', value: timeText(pipe.created_at) },
    { name: 'updated', value: timeText(pipe.updated_at) },
  ])
  const nodes = pipe.nodes.map(
    node => `\n${paint(context.stdout, 'bold', node.name)}${roleText(node)}\n${plainLines(node.sql)}\n`,
  )
  return `${fields}${nodes.join('')}`
}

const roleText = ({ materialize_into, copy_into, mode, schedule }: NodeAnswer): string => {
  if (materialize_into !== undefined) return `  materialized into ${materialize_into}`
  if (copy_into === undefined) return ''
  return `  copied into ${copy_into} (${mode})${schedule === undefined ? '' : ` by the schedule ${JSON.stringify(schedule)}`}`
}
