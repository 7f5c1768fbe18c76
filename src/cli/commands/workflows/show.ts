import { findServer } from '../../client/server-address.ts'
import { getWorkflow, type WorkflowAnswer } from '../../client/workflows.ts'
import type { CliContext } from '../../context.ts'
import type { Define } from '../../define.ts'
import { paint, STATE_STYLE } from '../../terminal/colour.ts'
import { type Field, fieldsText } from '../../terminal/fields.ts'
import { plainLines } from '../../terminal/plain-text.ts'
import { labelsText, timeText } from '../../terminal/quantity-text.ts'
import { definitionOf } from '../../workflow-files/definition.ts'

/** `millrace workflows show NAME`: the state and definition of a workflow. */
export const defineShow: Define = (command, context) => {
  command
    .description('show one workflow')
    .argument('<name>', 'name or id of the workflow')
    .option('--json', 'print JSON')
    .option('--definition', 'print only the definition, as a file for workflows apply')
    .action(async (name: string, options: { json?: boolean; definition?: boolean }) => {
      const workflow = await getWorkflow(findServer(context), name)
      const shown = options.definition ? definitionOf(workflow) : workflow
      if (options.json) context.stdout.write(`${JSON.stringify(shown, null, 2)}\n`)
      else context.stdout.write(options.definition ? await definitionText(workflow) : await describe(workflow, context))
    })
}

const describe = async (workflow: WorkflowAnswer, context: CliContext): Promise<string> => {
  const heading = paint(context.stdout, 'dim', 'definition')
  return `${fieldsText(context, fields(workflow))}${heading}\n${plainLines(await definitionText(workflow))}`
}

const definitionText = async (workflow: WorkflowAnswer): Promise<string> => {
  const { stringify } = await import('yaml')
  return stringify(definitionOf(workflow))
}

const fields = (workflow: WorkflowAnswer): readonly Field[] => [
  { name: 'workflow', value: workflow.workflow_id },
  { name: 'name', value: workflow.name },
  { name: 'description', value: workflow.description },
  { name: 'state', value: workflow.state, style: STATE_STYLE[workflow.state] },
  { name: 'version', value: workflow.version },
  { name: 'failures in a row', value: workflow.consecutive_failures === 0 ? null : workflow.consecutive_failures },
  { name: 'labels', value: labelsText(workflow.labels) },
  { name: 'last run', value: timeText(workflow.last_run_at) },
  { name: 'next run', value: timeText(workflow.next_run_at) },
  { name: 'created', value: timeText(workflow.created_at) },
  { name: 'updated', value: timeText(workflow.updated_at) },
]
