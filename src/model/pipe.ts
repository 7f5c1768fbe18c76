import type { WriteMode } from './data-source.ts'
import type { ScheduleSpec } from './schedule/schedule-schema.ts'

/** Named SQL nodes, each reading data sources, other pipes and earlier nodes. Times are epoch ms. */
export type Pipe = {
  /** `t_` and 32 hex digits: a UUIDv7 without dashes. */
  readonly id: string
  readonly name: string
  readonly description: string | null
  /** At least one. Readers of the pipe read the last. */
  readonly nodes: readonly PipeNode[]
  readonly createdAt: number
  readonly updatedAt: number
}

export type PipeNode = {
  readonly name: string
  /** One SELECT. */
  readonly sql: string
  readonly role: NodeRole
  /** What it reads directly: data sources, pipes and earlier nodes of the same pipe. */
  readonly reads: readonly string[]
  /** The first of them in its FROM: a materialized node is fed with the rows appended to this one. null: it reads none. */
  readonly source: string | null
}

export type NodeRole =
  | { readonly type: 'plain' }
  /** Its rows are stored in a data source, which is updated by appends to its source. */
  | { readonly type: 'materialized'; readonly into: string }
  /** Its rows are written into a data source on demand or by a schedule. The schedule is a workflow with one copy job. */
  | {
      readonly type: 'copy'
      readonly into: string
      readonly mode: WriteMode
      readonly schedule: ScheduleSpec | null
    }
