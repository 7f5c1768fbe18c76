import { InvalidArgumentError, Option } from 'commander'
import { toTimestamp } from '../../kernel/clock.ts'
import { parseDuration } from '../../kernel/quantity.ts'
import { type ReadTimestamp, readTimestamp } from '../../kernel/read-timestamp.ts'
import { call } from '../client/request.ts'
import { findServer } from '../client/server-address.ts'
import { findWorkflowId } from '../client/workflows.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { paint } from '../terminal/colour.ts'
import { durationText, timeText } from '../terminal/quantity-text.ts'
import { type Column, formatTable } from '../terminal/table.ts'

type Quantiles = { readonly p50: number | null; readonly p95: number | null; readonly p99: number | null }

type Figures = {
  readonly jobs: { readonly completed: number; readonly failed: number; readonly cancelled: number }
  readonly success_rate: number | null
  readonly wait_ms: Quantiles
  readonly run_ms: Quantiles
  readonly log_lines: number
  readonly lateness_ms: Quantiles
  readonly slots: { readonly fired: number; readonly skipped: number }
}

type AnalyticsAnswer = {
  readonly from: string
  readonly to: string
  readonly total: Figures
  readonly workflows: readonly (Figures & { readonly workflow_id: string | null; readonly name: string | null })[]
  readonly trend: { readonly unit: 'hour' | 'day'; readonly points: readonly (Figures & { readonly start: string })[] }
}

type AnalyticsOptions = {
  readonly since?: number
  readonly from?: string
  readonly to?: string
  readonly workflow?: string
  readonly trend?: string | true
  readonly json?: boolean
}

const DAY_MS = 86_400_000

/** `millrace analytics`: statistics of jobs and workflows over a period. */
export const analytics: Define = (command, context) => {
  command
    .option('--since <duration>', 'the last 7d, for example; default: one day', duration)
    .addOption(new Option('--from <time>', 'RFC 3339 start time, instead of --since').conflicts('since'))
    .option('--to <time>', 'RFC 3339 end time; default: now')
    .option('-w, --workflow <name>', 'only this workflow, by name or id')
    .addOption(new Option('--trend [unit]', 'by time, instead of per workflow').choices(['hour', 'day']))
    .option('--json', 'print the response as JSON')
    .action(async (options: AnalyticsOptions) => {
      const answer = await read(options, context)
      context.stdout.write(options.json ? `${JSON.stringify(answer)}\n` : describe(answer, options, context))
    })
}

const duration = (text: string): number => {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new InvalidArgumentError(`It must be ${(error as Error).message}.`)
  }
}

const read = async (options: AnalyticsOptions, context: CliContext): Promise<AnalyticsAnswer> => {
  const server = findServer(context)
  const to: ReadTimestamp = options.to === undefined ? { type: 'time', epochMs: Date.now() } : readTimestamp(options.to)
  // The server refuses invalid times.
  const from = options.from ?? (to.type === 'time' ? toTimestamp(to.epochMs - (options.since ?? DAY_MS)) : undefined)
  const workflowId = await findWorkflowId(server, options.workflow)
  const trend = typeof options.trend === 'string' ? options.trend : undefined
  return call<AnalyticsAnswer>(server, {
    path: '/v1/analytics',
    query: { from, to: options.to, workflow_id: workflowId, trend },
  })
}

const describe = (answer: AnalyticsAnswer, { trend }: AnalyticsOptions, { stdout }: CliContext): string => {
  const period = paint(stdout, 'dim', `${timeText(answer.from)} to ${timeText(answer.to)}`)
  const unit = answer.trend.unit
  const rows: readonly Row[] = trend
    ? answer.trend.points.map(point => ({ ...point, title: timeText(point.start).slice(0, unit === 'day' ? 10 : 16) }))
    : answer.workflows.map(one => ({ ...one, title: one.name ?? one.workflow_id ?? '(no workflow)' }))
  const all = { ...answer.total, title: 'all' }
  return `${period}\n${formatTable(columns(trend ? unit.toUpperCase() : 'WORKFLOW'), [...rows, all])}`
}

type Row = Figures & { readonly title: string }

const columns = (title: string): readonly Column<Row>[] => {
  const number = (name: string, value: (row: Row) => string): Column<Row> => ({ title: name, align: 'right', value })
  return [
    { title, value: row => row.title },
    number('COMPLETED', row => String(row.jobs.completed)),
    number('FAILED', row => String(row.jobs.failed)),
    number('CANCELLED', row => String(row.jobs.cancelled)),
    number('SUCCESS', row => (row.success_rate === null ? '' : `${(row.success_rate * 100).toFixed(1)}%`)),
    number('WAIT P50', row => ms(row.wait_ms.p50)),
    number('P99', row => ms(row.wait_ms.p99)),
    number('RUN P50', row => ms(row.run_ms.p50)),
    number('P99', row => ms(row.run_ms.p99)),
    number('LATE P99', row => ms(row.lateness_ms.p99)),
    number('SLOTS', row => String(row.slots.fired)),
    number('SKIPPED', row => String(row.slots.skipped)),
    number('LOG LINES', row => String(row.log_lines)),
  ]
}

const ms = (value: number | null): string => (value === null ? '' : durationText(value))
