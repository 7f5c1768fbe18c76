import { newId } from '../../../src/kernel/ids.ts'
import type { ResultFormat } from '../../../src/model/job.ts'
import {
  type QueryLimits,
  type QueryProgress,
  type QuerySummary,
  type RunningQuery,
  type Warehouse,
  WarehouseError,
} from '../../../src/warehouse/warehouse.ts'

const LIMITS: QueryLimits = { timeoutMs: 60_000, memoryBytes: 2 ** 30, threads: null, resultRows: null }

export type Ask = {
  readonly sql: string
  readonly workspace?: string
  readonly queryId?: string
  readonly format?: ResultFormat
  readonly parameters?: Record<string, unknown>
  readonly limits?: Partial<QueryLimits>
  readonly signal?: AbortSignal
}

/** The tests of an area; the scene exists only while a test runs. */
export type AreaTests = (scene: () => WarehouseScene) => void

/** A warehouse and a workspace with one table, `secrets`, of ten rows, and the steps that most tests take. */
export class WarehouseScene {
  readonly workspace = `w${newId().slice(-8)}`
  readonly warehouse: Warehouse

  constructor(warehouse: Warehouse) {
    this.warehouse = warehouse
  }

  async prepare(): Promise<void> {
    await this.command('CREATE TABLE secrets (a UInt64, b String) ENGINE = MergeTree ORDER BY a')
    await this.command('INSERT INTO secrets SELECT number, toString(number) FROM numbers(10)')
  }

  async close(): Promise<void> {
    await this.command('DROP TABLE IF EXISTS secrets')
    await this.warehouse.close()
  }

  command(sql: string): Promise<void> {
    return this.warehouse.command({ workspace: this.workspace, sql })
  }

  rows<Row extends object>(sql: string): Promise<readonly Row[]> {
    return this.warehouse.rows<Row>({ workspace: this.workspace, sql })
  }

  progress(queryId: string): Promise<QueryProgress | null> {
    return this.warehouse.progress({ workspace: this.workspace, queryId })
  }

  cancel(queryId: string): Promise<void> {
    return this.warehouse.cancel({ workspace: this.workspace, queryId })
  }

  start({ limits, ...ask }: Ask): Promise<RunningQuery> {
    return this.warehouse.query({
      workspace: this.workspace,
      queryId: newId(),
      format: 'ndjson',
      parameters: {},
      signal: new AbortController().signal,
      limits: { ...LIMITS, ...limits },
      ...ask,
    })
  }

  async read(ask: Ask): Promise<{ bytes: Buffer; summary: QuerySummary }> {
    const { content, summary } = await this.start(ask)
    return { bytes: Buffer.concat(await Array.fromAsync(content)), summary: await summary }
  }

  async text(ask: Ask): Promise<string> {
    return (await this.read(ask)).bytes.toString('utf8')
  }

  /** The error that the warehouse refuses it with; any other error is thrown. */
  async refusal(ask: Ask): Promise<WarehouseError> {
    const error = await this.read(ask).then(
      ({ bytes }) => new Error(`it ran and gave ${bytes.subarray(0, 200).toString('utf8')}`),
      error => error as Error,
    )
    if (!(error instanceof WarehouseError)) throw error
    return error
  }
}
