import type { Database } from '../database.ts'
import type { Answer, Call, Reply } from './calls.ts'
import type { Reserve } from './reserve.ts'

/** Operations that add work or data: refused while the disk is full, so that work in progress can still end. */
const ADDING: ReadonlySet<string> = new Set([
  'submitJobs',
  'fireWorkflows',
  'triggerWorkflow',
  'createWorkflow',
  'replaceWorkflow',
  'extendRun',
  'addArtifact',
  'beginIdempotent',
  'createToken',
  'createWorkspace',
  // Asks whether there is room for any of these.
  'ping',
])

type Commit = {
  readonly db: Database
  readonly reserve: Reserve
  readonly commit: (calls: readonly Call[]) => Reply
}

/**
 * Commits the calls. If the disk is full, calls that end work get the reserved space. If only some of them failed for lack of space, their callers
 * retry, as everything that ends work does.
 */
export const commitWithReserve = ({ db, reserve, commit }: Commit, calls: readonly Call[]): Reply => {
  let reply = reserve.isHeld() ? commit(calls) : commitEnding(commit, calls)
  while (reply.answers.some(isUnwritten) && reserve.spend()) {
    emptyLog(db)
    if (reply.effects !== null) return reply
    reply = commitEnding(commit, calls)
  }
  return reply
}

const commitEnding = (commit: Commit['commit'], calls: readonly Call[]): Reply => {
  const ending = calls.filter(([, operation]) => !ADDING.has(operation))
  const refused = calls.filter(([, operation]) => ADDING.has(operation)).map(refuse)
  const { answers, effects } = ending.length === 0 ? { answers: [], effects: null } : commit(ending)
  return { answers: [...answers, ...refused], effects }
}

const REFUSAL = { message: 'The disk is full.', stack: undefined, code: 'ENOSPC' }

const refuse = ([id]: Call): Answer => [id, null, REFUSAL]

const isUnwritten = ([, , fault]: Answer): boolean => fault?.code === 'ENOSPC' && fault !== REFUSAL

/** Lets the write-ahead log restart at its beginning, unless a reader is in the way. */
const emptyLog = (db: Database): void => {
  try {
    db.exec('PRAGMA wal_checkpoint(RESTART)')
  } catch {
    // The database itself has no room to grow; the log then grows into the reserve.
  }
}
