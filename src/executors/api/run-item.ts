import { refuseFields } from '../../kernel/errors.ts'
import { illFormedTexts } from '../../model/ill-formed.ts'
import type { ClaimedJob } from '../../model/job.ts'
import { failed, type Outcome } from '../../model/outcome.ts'
import { putSecrets } from '../../model/secrets.ts'
import { storageFailure } from '../../model/storage-failure.ts'
import type { ExecutionContext } from '../executor.ts'
import { followStop } from '../follow-stop.ts'
import { attemptKey } from '../launched-process.ts'
import type { FunctionFolder } from './function-folder.ts'
import type { ItemEnd, RunningOnHost } from './function-host.ts'
import type { HostPool, PooledHost } from './host-pool.ts'
import type { Call, RunOrder } from './host-protocol.ts'
import { createItemListener } from './item-listener.ts'
import type { ApiSpec } from './spec.ts'
import { takeArtifact } from './take-artifact.ts'
import { toOutcome } from './to-outcome.ts'

/** What all items share. */
export type ItemWorkshop = {
  readonly pool: HostPool
  readonly folder: FunctionFolder
  /** Uid of the user hosts run as. */
  readonly uid: number
  /** Tickets of busy hosts by job and attempt, for renewals. */
  readonly working: Map<string, number>
}

/** For a changed module, each host that has loaded it is used up once. More tries than this mean that a file changes constantly. */
const MOST_STALE = 100

/** One attempt of a function job. */
export const runItem = async (workshop: ItemWorkshop, job: ClaimedJob, context: ExecutionContext): Promise<Outcome> => {
  const spec = JSON.parse(job.spec) as ApiSpec
  for (let tries = 0; tries < MOST_STALE; tries++) {
    const found = workshop.folder.find(spec.api)
    if ('problem' in found) return failed('function_not_found', `${spec.api}: ${workshop.folder.explain(spec.api)}.`)
    const host = await waitForHost(workshop.pool, job, context)
    if (host === 'stopped') return { type: 'stopped' }
    if ('problem' in host) return failed('spawn_failed', host.problem)
    const order = JSON.stringify(toOrder({ spec, path: found.path, job, context }))
    const outcome = await runOn(workshop, host, { job, context, order })
    if (outcome !== 'stale') return outcome
  }
  return failed('function_unreadable', 'The modules of the function change all the time.')
}

/** The attempt's clock starts with its function: waiting for a host must not use up the item's time. */
const waitForHost = async (pool: HostPool, job: ClaimedJob, context: ExecutionContext) => {
  const acquiring = pool.acquire(job.workspace, context.stop)
  const timer = setInterval(() => context.extendTimeout(), Math.min(job.timeoutMs ?? 1_000_000, 1_000_000) / 2)
  const waitedSince = context.clock.monotonic()
  const host = await acquiring
  clearInterval(timer)
  if (context.clock.monotonic() - waitedSince > 1) context.extendTimeout()
  return host
}

type Input = {
  readonly spec: ApiSpec
  readonly path: string
  readonly job: ClaimedJob
  readonly context: ExecutionContext
}

const toOrder = ({ spec, path, job, context }: Input): RunOrder => ({
  name: spec.api,
  path,
  parameters: spec.parameters ?? {},
  environment: putSecrets(spec.environment ?? {}, context.secrets, 'environment'),
  common: context.environment,
  jobId: job.id,
  attempt: job.attempt,
  runId: job.runId,
  workflowId: job.workflowId,
  scheduledAt: job.scheduledAt ?? job.createdAt,
})

type Attempt = { readonly job: ClaimedJob; readonly context: ExecutionContext; readonly order: string }

const runOn = async (
  workshop: ItemWorkshop,
  pooled: PooledHost,
  { job, context, order }: Attempt,
): Promise<Outcome | 'stale'> => {
  const { pool, working } = workshop
  let keepingFault: Error | null = null
  let killed = false
  const kill = (): void => {
    killed = true
    pooled.host.kill()
  }
  const listener = createItemListener({
    context,
    onKeepingFault: error => {
      keepingFault ??= error
      kill()
    },
    answer: call => answer(call, { workshop, pooled, context }),
    reply: text => running.reply(text),
  })
  working.set(attemptKey(job), pooled.host.ticket)
  const running: RunningOnHost = pooled.host.run(order, listener)
  let end: ItemEnd
  {
    using _ = followStop(context, { ask: running.stop, kill })
    end = await running.over
  }
  working.delete(attemptKey(job))
  // Settle before another item gets the host: calls that the function did not wait for concern it and its directory.
  await listener.settle()
  // A requested kill may still be on its way and would hit the next item.
  if (isClean(end) && !killed) pool.release(pooled)
  else await pool.retire(pooled)
  if (keepingFault !== null) return toKeepingFailure(keepingFault)
  return toOutcome({ end, killed, isTooLarge: pooled.isTooLarge, lastWords: pooled.host.lastWords(), context })
}

const isClean = (end: ItemEnd): boolean => 'clean' in end && end.clean

/** An item whose log or artifact cannot be stored has failed. */
const toKeepingFailure = (error: Error): Outcome => {
  const failure = storageFailure(error)
  if (failure === null) throw error
  return failure
}

type Answering = {
  readonly workshop: ItemWorkshop
  readonly pooled: PooledHost
  readonly context: ExecutionContext
}

const answer = async (call: Call, { workshop, pooled, context }: Answering): Promise<unknown> => {
  if (call.do === 'extend_payload') {
    // For bodies received by HTTP, the body parser has already checked this.
    refuseFields(illFormedTexts(call.items, 'payload'))
    return context.extendPayload(call.items)
  }
  if (call.do === 'extend_timeout') return context.extendTimeout()
  return takeArtifact({
    name: call.name,
    call: call.call,
    directory: pooled.host.directory,
    uid: workshop.uid,
    add: file => context.addArtifact(file),
  })
}
