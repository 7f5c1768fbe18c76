import type { Logger } from '../../kernel/logger.ts'
import type { ClaimedJob } from '../../model/job.ts'
import { type Failed, failed, type Outcome } from '../../model/outcome.ts'
import { isOfSystem, storageFailure } from '../../model/storage-failure.ts'
import type { ExecutionContext, ExecutorProblem } from '../executor.ts'
import { followStop } from '../follow-stop.ts'
import { attemptKey, leaseDeadline } from '../launched-process.ts'
import { describeFaults } from './artifact-faults.ts'
import { collectArtifacts } from './artifacts.ts'
import type { Scratch } from './attempt-files.ts'
import { type CommandPlan, planCommand } from './command-plan.ts'
import { buildEnvironment, cookieOf } from './environment.ts'
import type { FifoPair, FifoPool } from './fifos.ts'
import type { FileReader } from './find-files.ts'
import type { JobUser } from './job-user.ts'
import type { CommandEnd, Launcher } from './launcher.ts'
import { createOutput } from './output.ts'
import type { CommandSpec } from './spec.ts'
import { toOutcome } from './to-outcome.ts'

/** What all attempts share. */
export type Workshop = {
  readonly launcher: Launcher
  readonly fifos: FifoPool
  readonly scratch: Scratch
  readonly user: JobUser
  readonly sandbox: 'none' | 'bubblewrap'
  /** What it cannot do here. */
  readonly sandboxProblems: readonly ExecutorProblem[]
  readonly instanceId: string
  readonly logger: Logger
  /** Directories of the server that commands must not use. */
  readonly forbidden: readonly string[]
  /** Tickets of running attempts by job and attempt, for renewals. */
  readonly tickets: Map<string, number>
}

type Attempt = {
  readonly job: ClaimedJob
  readonly context: ExecutionContext
  readonly spec: CommandSpec
  readonly environment: Readonly<Record<string, string>>
}

/** One attempt of a command job, from its files to its outcome. */
export const runAttempt = async (workshop: Workshop, job: ClaimedJob, context: ExecutionContext): Promise<Outcome> => {
  const spec = JSON.parse(job.spec) as CommandSpec
  const files = workshop.scratch.forAttempt(attemptKey(job))
  try {
    const tempDir = spec.environment?.TMPDIR === undefined ? files.makeDirectory() : null
    const environment = environmentOf(workshop, spec, { job, context, tempDir })
    const attempt = { job, context, spec, environment }
    const plan = planCommand({ ...workshop, ...attempt, files, tempDir })
    if ('reason' in plan) return failed(plan.reason, plan.message)
    const outcome = await execute(workshop, attempt, plan)
    return await collect(workshop, attempt, { plan, outcome })
  } catch (error) {
    const failure = storageFailure(error)
    if (failure === null) throw error
    return failure
  } finally {
    await files.remove()
  }
}

const environmentOf = (
  { user, instanceId }: Workshop,
  spec: CommandSpec,
  { job, context, tempDir }: Pick<Attempt, 'job' | 'context'> & { readonly tempDir: string | null },
): Readonly<Record<string, string>> =>
  buildEnvironment({
    home: user.home,
    tempDir,
    common: context.environment,
    own: spec.environment,
    secrets: context.secrets,
    cookie: cookieOf(instanceId, job),
  })

/** Runs the command and copies its output to the log. */
const execute = async (workshop: Workshop, attempt: Attempt, plan: CommandPlan): Promise<Outcome> => {
  const { job, context, spec } = attempt
  const fifos = await workshop.fifos.take()
  if (context.stop.cause !== null) {
    fifos.release({ ended: true })
    return { type: 'stopped' }
  }
  const output = openOutputs(openFifos(fifos), context, () => command.kill())
  const command = workshop.launcher.run(toCommand(workshop, attempt, { plan, fifos, onStarted: output.begin }))
  workshop.tickets.set(attemptKey(job), command.ticket)
  let end: CommandEnd
  {
    using _ = followStop(context, { ask: () => command.terminate(), kill: () => command.kill() })
    end = await command.ended
  }
  workshop.tickets.delete(attemptKey(job))
  fifos.release({ ended: await output.finish() })
  if (end.is === 'ended' && end.left > 0) await context.log.note(`${end.left} processes could not be killed`)
  if (output.error !== null) return toLogFailure(output.error, end)
  return toOutcome({
    end,
    stopped: context.stop.cause !== null,
    program: plan.argv[0],
    workingDir: spec.working_dir ?? plan.directory,
  })
}

const openFifos = (fifos: FifoPair): ReturnType<FifoPair['open']> => {
  try {
    return fifos.open()
  } catch (error) {
    fifos.release({ ended: true })
    throw error
  }
}

type Start = {
  readonly plan: CommandPlan
  readonly fifos: { readonly stdout: string; readonly stderr: string }
  readonly onStarted: () => void
}

const toCommand = (workshop: Workshop, { job, context, environment }: Attempt, { plan, fifos, onStarted }: Start) => ({
  cookie: cookieOf(workshop.instanceId, job),
  argv: plan.argv,
  environment,
  workingDir: plan.workingDir,
  stdin: plan.stdin,
  stdout: fifos.stdout,
  stderr: fifos.stderr,
  deadline: leaseDeadline(context.clock.monotonic() - context.leaseSentAt),
  sandboxed: workshop.sandbox !== 'none',
  onStarted,
})

type Outputs = {
  readonly begin: () => void
  readonly finish: () => Promise<boolean>
  readonly error: Error | null
}

/** Maximum delay of live output. A command that ends sooner is read once, without the cost of a stream. */
const BEGIN_AFTER_MS = 5

const openOutputs = (
  descriptors: { stdout: number; stderr: number },
  { log }: ExecutionContext,
  kill: () => void,
): Outputs => {
  let error: Error | null = null
  let timer: NodeJS.Timeout | undefined
  const onError = (failure: Error): void => {
    error ??= failure
    kill()
  }
  const outputs = (['stdout', 'stderr'] as const).map(stream =>
    createOutput({ descriptor: descriptors[stream], stream, log, onError }),
  )
  return {
    begin: () => {
      timer = setTimeout(() => {
        for (const output of outputs) output.begin()
      }, BEGIN_AFTER_MS)
    },
    finish: async () => {
      clearTimeout(timer)
      const ended = await Promise.all(outputs.map(output => output.finish()))
      return ended.every(Boolean)
    },
    get error() {
      return error
    },
  }
}

/** A command whose log cannot be written has failed. */
const toLogFailure = (error: Error, end: CommandEnd): Outcome => {
  const failure = storageFailure(error)
  if (failure === null) throw error
  if (end.is !== 'ended') return failure
  return { ...failure, exit: { exitCode: end.exitCode, signal: end.signal } }
}

type Collection = { readonly plan: CommandPlan; readonly outcome: Outcome }

/** Collects the artifacts of an attempt that ended by itself or timed out. */
const collect = async (workshop: Workshop, attempt: Attempt, { plan, outcome }: Collection): Promise<Outcome> => {
  const { context, spec } = attempt
  const { cause } = context.stop
  const globs = spec.artifacts ?? []
  const lost = outcome.type === 'failed' && outcome.failure === 'system'
  if (globs.length === 0 || lost || (cause !== null && cause !== 'timeout')) return outcome
  try {
    const faults = await collectArtifacts({
      globs,
      directory: plan.directory,
      reader: readerOf(workshop),
      forbidden: workshop.forbidden,
      stopped: () => context.stop.cause !== cause,
      add: file => context.addArtifact(file),
    })
    return faults.length === 0 ? outcome : unlessFailed(outcome, failed('artifact_failed', describeFaults(faults)))
  } catch (error) {
    const failure = storageFailure(error)
    if (failure === null && outcome.type === 'completed' && isOfSystem(error)) throw error
    const told = failed('artifact_failed', `Artifacts could not be collected: ${(error as Error).message}.`)
    return unlessFailed(outcome, failure ?? told)
  }
}

/** Of a root server, a sandboxed command is root too, but without the capability to pass over file permissions. */
const readerOf = ({ user, sandbox }: Workshop): FileReader | null =>
  user.isOther || (sandbox !== 'none' && user.uid === 0) ? user : null

/** A failure of the command takes precedence over one of its artifacts. */
const unlessFailed = (outcome: Outcome, failure: Failed): Outcome => {
  if (outcome.type !== 'completed') return outcome
  return outcome.exit === undefined ? failure : { ...failure, exit: outcome.exit }
}
