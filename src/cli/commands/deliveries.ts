import { DELIVERY_STATUSES, type DeliveryStatus } from '../../model/workflow.ts'
import { readPages } from '../client/pages.ts'
import { call, send } from '../client/request.ts'
import { findServer } from '../client/server-address.ts'
import { findWorkflowId } from '../client/workflows.ts'
import { commandGroup } from '../command-group.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { count, repeated } from '../option-value.ts'
import { DELIVERY_STYLE, paint } from '../terminal/colour.ts'
import { shortTimeText } from '../terminal/quantity-text.ts'
import { showList } from '../terminal/show-list.ts'
import type { Column } from '../terminal/table.ts'

/** `millrace deliveries list | show | redeliver`. */
export const deliveries: Define = (command, context, finish) =>
  commandGroup({ list, show, redeliver })(command, context, finish)

const deliveryPath = (id: string, rest = ''): string => `/v1/deliveries/${encodeURIComponent(id)}${rest}`

type DeliveryAnswer = {
  readonly delivery_id: string
  readonly job_id: string
  readonly run_id: string | null
  readonly status: DeliveryStatus
  readonly tries: number
  readonly created_at: string
  readonly next_try_at: string | null
  readonly last_status: number | null
  readonly last_error: string | null
}

type ListOptions = {
  readonly status?: readonly string[]
  readonly job?: string
  readonly run?: string
  readonly workflow?: string
  readonly limit: number
  readonly json?: boolean
}

const list: Define = (command, context) => {
  command
    .description('list deliveries to sinks')
    .option('-s, --status <status>', `${DELIVERY_STATUSES.join(', ')}; repeatable or comma-separated`, repeated(String))
    .option('--job <id>', 'only of this job')
    .option('--run <id>', 'only of this run')
    .option('-w, --workflow <name>', 'only of this workflow, by name or id')
    .option('-n, --limit <n>', 'maximum number of entries', count, 20)
    .option('--json', 'print JSON: {deliveries, next_cursor}')
    .action(async ({ status, job, run, workflow, limit, json }: ListOptions) => {
      const server = findServer(context)
      const workflowId = await findWorkflowId(server, workflow)
      const answer = await readPages<DeliveryAnswer, 'deliveries'>(server, 'deliveries', {
        path: '/v1/deliveries',
        query: { status, job_id: job, run_id: run, workflow_id: workflowId },
        limit,
      })
      const rows = answer.deliveries
      showList({ context, answer, rows, columns: columns(context, Date.now()), things: 'deliveries', json })
    })
}

const columns = ({ stdout }: CliContext, now: number): readonly Column<DeliveryAnswer>[] => [
  { title: 'DELIVERY', value: one => one.delivery_id },
  { title: 'STATUS', value: one => one.status, style: (cell, one) => paint(stdout, DELIVERY_STYLE[one.status], cell) },
  { title: 'TRIES', align: 'right', value: one => String(one.tries) },
  { title: 'CREATED', value: one => shortTimeText(one.created_at, now) },
  { title: 'NEXT TRY', value: one => shortTimeText(one.next_try_at, now) },
  { title: 'JOB', value: one => one.job_id },
  { title: 'LAST ANSWER', value: one => [one.last_status ?? '', one.last_error ?? ''].join(' ').trim() },
]

const show: Define = (command, context) => {
  command
    .description('show one delivery and its sink, as JSON')
    .argument('<id>', 'id of the delivery')
    .action(async (id: string) => {
      const delivery = await call<unknown>(findServer(context), { path: deliveryPath(id) })
      context.stdout.write(`${JSON.stringify(delivery, null, 2)}\n`)
    })
}

const redeliver: Define = (command, context) => {
  command
    .description('send deliveries again, for up to another day')
    .argument('<id...>', 'ids of deliveries')
    .action(async (ids: readonly string[]) => {
      const server = findServer(context)
      for (const id of ids) {
        await send(server, { method: 'POST', path: deliveryPath(id, '/redeliver') })
        context.stdout.write(`${id} to be sent again\n`)
      }
    })
}
