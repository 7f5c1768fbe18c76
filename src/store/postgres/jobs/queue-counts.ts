import type { Queryable, Statement } from '../database.ts'

const COUNT: Statement = {
  name: 'count_waiting',
  text: `
    SELECT count(*) AS count
    FROM millrace.live
    WHERE workspace = $1 AND status IN ('pending', 'queued')`,
}

/** Counting a million rows takes 0.1 s; a workspace at its limit is recounted no more often than this. */
const RECOUNT_EVERY_MS = 1000
/** Below its limit, a count is trusted for this long: what other processes submit is missing from it, and what this one claims of that is subtracted. */
const TRUSTED_MS = 30_000

type Count = { waiting: number; countedAt: number }

/**
 * Number of waiting jobs per workspace, for the limit on them. Exact for this process's own changes except during a count. Recounted from time to
 * time and before a submit is refused. Submits of other processes may take a workspace slightly over its limit.
 */
export class QueueCounts {
  readonly #reader: Queryable
  readonly #monotonic: () => number
  readonly #counts = new Map<string, Count>()
  readonly #recounts = new Map<string, Promise<Count>>()

  constructor(reader: Queryable, monotonic: () => number) {
    this.#reader = reader
    this.#monotonic = monotonic
  }

  /** Reserves room for `added` jobs below `limit`: null on success, otherwise the current number of waiting jobs. */
  async reserve(workspace: string, added: number, limit: number): Promise<number | null> {
    let count = this.#counts.get(workspace)
    const age = count ? this.#monotonic() - count.countedAt : 0
    if (!count || (count.waiting + added > limit && age > RECOUNT_EVERY_MS)) count = await this.#recount(workspace)
    // Not awaited: slow reads of others may use all connections for a while, and a submit must not wait for those.
    else if (age > TRUSTED_MS) this.#recount(workspace).catch(() => {})
    if (count.waiting + added > limit) return count.waiting
    count.waiting += added
    return null
  }

  /** Change in the workspace's number of waiting jobs, not counting reservations. */
  add(workspace: string, change: number): void {
    const count = this.#counts.get(workspace)
    if (count) count.waiting += change
  }

  /** One count at a time per workspace, shared by concurrent callers. */
  #recount(workspace: string): Promise<Count> {
    const running = this.#recounts.get(workspace)
    if (running) return running
    const recount = this.#count(workspace).finally(() => this.#recounts.delete(workspace))
    this.#recounts.set(workspace, recount)
    return recount
  }

  async #count(workspace: string): Promise<Count> {
    const [row] = await this.#reader.query<{ count: number }>(COUNT, [workspace])
    const count = { waiting: row!.count, countedAt: this.#monotonic() }
    this.#counts.set(workspace, count)
    return count
  }
}
