import type { Database } from '../database.ts'

/** Maintains a workspace's number of pending and queued jobs, for `maxQueued`. */
export const addWaiting = (db: Database, workspace: string, change: number): void => {
  if (change !== 0) db.run('UPDATE workspace SET waiting = waiting + ? WHERE id = ?', change, workspace)
}

export const countWaiting = (db: Database, workspace: string): number =>
  db.get<[number]>('SELECT waiting FROM workspace WHERE id = ?', workspace)?.[0] ?? 0

/** Sums changes by workspace, so that a batch updates each workspace once. */
export class WaitingChanges {
  readonly #changes = new Map<string, number>()

  add(workspace: string, change: number): void {
    this.#changes.set(workspace, (this.#changes.get(workspace) ?? 0) + change)
  }

  entries(): Iterable<readonly [workspace: string, change: number]> {
    return this.#changes
  }

  apply(db: Database): void {
    for (const [workspace, change] of this.#changes) addWaiting(db, workspace, change)
  }
}
