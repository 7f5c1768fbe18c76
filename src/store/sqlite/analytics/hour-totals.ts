import { bucketOf } from '../../../model/histogram.ts'
import type { HourSums } from '../../analytics-store.ts'
import type { Database } from '../database.ts'

const HOUR_MS = 3_600_000

const COUNTS = ['completed', 'failed', 'cancelled', 'log_lines', 'slots_fired', 'slots_skipped'] as const
type Measure = 'wait' | 'run' | 'lateness'

type Total = {
  readonly workspace: string
  readonly hour: number
  /** Empty for jobs without a workflow. */
  readonly workflowId: string
  readonly counts: Record<(typeof COUNTS)[number], number>
  readonly buckets: Record<Measure, Record<number, number>>
}

/**
 * Accumulates sums by workspace, hour and workflow. Buckets are computed here with the model's own `bucketOf`, not in SQL, because the logarithm of
 * SQLite's C library may differ at a boundary.
 */
export class HourTotals {
  readonly #totals = new Map<string, Total>()

  /** A row of `ENDED_SQL`. */
  addEnded(row: readonly unknown[]): void {
    const [finishedAt, workspace, workflowId, status, logLines, wait, run] = row as [
      number,
      string,
      string,
      'completed' | 'failed' | 'cancelled',
      number | null,
      number | null,
      number | null,
    ]
    const total = this.#totalOf(workspace, hourOf(finishedAt), workflowId)
    total.counts[status]++
    total.counts.log_lines += logLines ?? 0
    if (wait !== null) addTo(total.buckets.wait, bucketOf(wait), 1)
    if (run !== null) addTo(total.buckets.run, bucketOf(run), 1)
  }

  addSlots(
    now: number,
    slots: { workspace: string; workflowId: string; fired: number; skipped: number; lateness: number | null },
  ): void {
    const { counts, buckets } = this.#totalOf(slots.workspace, hourOf(now), slots.workflowId)
    counts.slots_fired += slots.fired
    counts.slots_skipped += slots.skipped
    if (slots.lateness !== null) addTo(buckets.lateness, bucketOf(slots.lateness), 1)
  }

  /** Adds the stored sums of these hours. */
  read(db: Database, which: { workspace: string; from: number; to: number; workflowId?: string }): void {
    const { workspace, from, to, workflowId } = which
    const where = `workspace = ? AND hour >= ? AND hour < ?${workflowId === undefined ? '' : ' AND workflow_id = ?'}`
    const values = [workspace, hourOf(from), to, ...(workflowId === undefined ? [] : [workflowId])]
    const sums = db.all<[number, string, ...number[]]>(
      `SELECT hour, workflow_id, ${COUNTS.join(', ')} FROM hour_sum WHERE ${where}`,
      ...values,
    )
    for (const [hour, workflow, ...counts] of sums)
      for (const [index, name] of COUNTS.entries())
        this.#totalOf(workspace, hour, workflow).counts[name] += counts[index]!
    const buckets = db.all<[number, string, Measure, number, number]>(
      `SELECT hour, workflow_id, measure, bucket, count FROM hour_bucket WHERE ${where}`,
      ...values,
    )
    for (const [hour, workflow, measure, bucket, count] of buckets)
      addTo(this.#totalOf(workspace, hour, workflow).buckets[measure], bucket, count)
  }

  /** Adds everything to the stored sums. */
  write(db: Database): void {
    for (const { workspace, hour, workflowId, counts, buckets } of this.#totals.values()) {
      db.run(ADD_SUMS, workspace, hour, workflowId, ...COUNTS.map(name => counts[name]))
      for (const [measure, histogram] of Object.entries(buckets))
        for (const [bucket, count] of Object.entries(histogram))
          db.run(ADD_BUCKET, workspace, hour, workflowId, measure, Number(bucket), count)
    }
  }

  list(): HourSums[] {
    return [...this.#totals.values()]
      .sort((a, b) => a.hour - b.hour || (a.workflowId < b.workflowId ? -1 : 1))
      .map(({ hour, workflowId, counts, buckets }) => ({
        hour,
        workflowId: workflowId === '' ? null : workflowId,
        completed: counts.completed,
        failed: counts.failed,
        cancelled: counts.cancelled,
        logLines: counts.log_lines,
        wait: buckets.wait,
        run: buckets.run,
        lateness: buckets.lateness,
        slotsFired: counts.slots_fired,
        slotsSkipped: counts.slots_skipped,
      }))
  }

  #totalOf(workspace: string, hour: number, workflowId: string): Total {
    const key = `${workspace}\t${hour}\t${workflowId}`
    const known = this.#totals.get(key)
    if (known) return known
    const counts = { completed: 0, failed: 0, cancelled: 0, log_lines: 0, slots_fired: 0, slots_skipped: 0 }
    const made = { workspace, hour, workflowId, counts, buckets: { wait: {}, run: {}, lateness: {} } }
    this.#totals.set(key, made)
    return made
  }
}

const ADD_SUMS = `INSERT INTO hour_sum (workspace, hour, workflow_id, ${COUNTS.join(', ')})
  VALUES (?, ?, ?, ${COUNTS.map(() => '?').join(', ')})
  ON CONFLICT DO UPDATE SET ${COUNTS.map(name => `${name} = ${name} + excluded.${name}`).join(', ')}`

const ADD_BUCKET = `INSERT INTO hour_bucket VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET count = count + excluded.count`

const hourOf = (time: number): number => Math.floor(time / HOUR_MS) * HOUR_MS

const addTo = (histogram: Record<number, number>, bucket: number, count: number): void => {
  histogram[bucket] = (histogram[bucket] ?? 0) + count
}
