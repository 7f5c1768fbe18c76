import { InvalidArgumentError } from 'commander'
import { isPlainObject } from '../../kernel/plain-object.ts'
import { postOnce } from '../client/jobs.ts'
import { findServer } from '../client/server-address.ts'
import { type TriggerAnswer, workflowPath } from '../client/workflows.ts'
import type { Define } from '../define.ts'
import { followRun } from '../follow-run.ts'
import { keyValue, repeated } from '../option-value.ts'
import { readJsonOrText } from '../read-json.ts'

type TriggerOptions = {
  readonly param?: readonly (readonly [string, string])[]
  readonly params?: unknown
  readonly at?: string
  readonly wait?: boolean
  readonly follow?: boolean
  readonly json?: boolean
}

/** `millrace trigger NAME`, `millrace workflows trigger NAME`: runs a workflow now or at a given time. Prints the run's id. */
export const trigger: Define = (command, context, finish) => {
  command
    .description('run a workflow now or at a given time')
    .argument('<name>', 'name or id of the workflow')
    .option(
      '-p, --param <key=value>',
      'override a parameter of every item; repeatable. JSON (3, true, {…}) is parsed, anything else is a string',
      repeated(keyValue('key=value')),
    )
    .option('--params <json>', 'the same, as one JSON object', jsonObject)
    .option('--at <time>', 'an RFC 3339 time, at most a year ahead')
    .option('-w, --wait', 'wait for the end of the run; exit with 0 if it completed, otherwise 1')
    .option('-f, --follow', 'the same, and show its progress')
    .option('--json', 'print JSON: the response, or with --wait the run')
    .action(async (name: string, options: TriggerOptions) => {
      const server = findServer(context)
      const answer = await postOnce<TriggerAnswer>(server, {
        path: workflowPath(name, '/trigger'),
        json: body(options),
      })
      finish(await followRun({ server, context, answer, options }))
    })
}

const body = ({ param, params, at }: TriggerOptions): unknown => {
  const given = {
    ...(params as object | undefined),
    ...Object.fromEntries((param ?? []).map(([k, v]) => [k, readJsonOrText(v)])),
  }
  return {
    ...(at === undefined ? {} : { scheduled_at: at }),
    ...(Object.keys(given).length === 0 ? {} : { parameters: given }),
  }
}

const jsonObject = (text: string): unknown => {
  const value = readJsonOrText(text)
  if (isPlainObject(value)) return value
  throw new InvalidArgumentError('It must be a JSON object.')
}
