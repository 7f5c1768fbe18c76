import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { openFunctionLauncher } from '../../src/cli/function-launcher.ts'
import { type ApiExecutorOptions, createApiExecutor } from '../../src/executors/api/api-executor.ts'
import type { ExecutionContext } from '../../src/executors/executor.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { newId } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import type { ClaimedJob, Progress } from '../../src/model/job.ts'
import type { NewResult, Outcome } from '../../src/model/outcome.ts'
import { type Context, claimedJob, createContext } from '../command/attempt.ts'

/** What an item did besides its outcome. */
export type ItemContext = Context & {
  readonly progressed: Progress[]
  readonly extended: unknown[][]
  timeoutsExtended: number
}

type Change = Partial<ExecutionContext> & { readonly job?: Partial<ClaimedJob> }
export type Ran = { readonly outcome: Outcome; readonly context: ItemContext; readonly result: unknown }

type Options = Partial<ApiExecutorOptions> & {
  readonly jobUser?: string
  readonly sandbox?: 'none' | 'bubblewrap'
  readonly launcher?: 'auto' | 'native' | 'portable'
}

/** A real executor for the tests of a `describe`, with a functions folder of its own. */
export const useFunctions = ({ jobUser, sandbox = 'none', launcher = 'auto', ...changes }: Options = {}) => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-functions-')))
  const folder = join(base, 'functions')
  const dataDir = join(base, 'data')
  const instanceId = newId()
  const config = { dataDir, blobPlace: null, jobUser: jobUser ?? null, sandbox, launcher, commandMaxProcesses: 256 }
  const options: ApiExecutorOptions = {
    functionsDir: folder,
    dataDir,
    hosts: 2,
    instanceId,
    openLauncher: () => openFunctionLauncher({ config, instanceId, logger: silentLogger }),
    logger: silentLogger,
    clock: systemClock,
    ...changes,
  }
  const executor = createApiExecutor(options)

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true })
    mkdirSync(dataDir, { mode: 0o700 })
    await executor.start!()
  })
  afterAll(async () => {
    await executor.stop!()
    rmSync(base, { recursive: true, force: true })
  })

  const write = (path: string, text: string): string => {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }

  const start = (spec: Readonly<Record<string, unknown>>, { job, ...changes }: Change = {}) => {
    const context = createItemContext(changes)
    const claimed: ClaimedJob = { ...claimedJob(spec), kind: 'api', ...job }
    const renewal = setInterval(
      () => executor.leasesRenewed!([{ jobId: claimed.id, attempt: claimed.attempt }], options.clock.monotonic()),
      1000,
    )
    return { context, outcome: executor.run(claimed, context).finally(() => clearInterval(renewal)) }
  }

  return {
    executor,
    folder,
    dataDir,
    options,
    write,
    /** Starts an item; the test ends it. */
    start,
    /** Runs one item of a function to its end. */
    run: async (name: string, spec: Readonly<Record<string, unknown>> = {}, changes: Change = {}): Promise<Ran> => {
      const { context, outcome } = start({ api: name, ...spec }, changes)
      const ended = await outcome
      return { outcome: ended, context, result: readResult(ended) }
    },
  }
}

const createItemContext = (changes: Partial<ExecutionContext>): ItemContext => {
  const progressed: Progress[] = []
  const extended: unknown[][] = []
  const context: ItemContext = {
    ...createContext({
      progress: progress => {
        progressed.push(progress)
      },
      extendTimeout: () => {
        context.timeoutsExtended++
      },
      extendPayload: async items => {
        extended.push([...items])
      },
      keepResult: async ({ format, content }) => keep(format, Buffer.from(content)),
      ...changes,
    }),
    progressed,
    extended,
    timeoutsExtended: 0,
  }
  return context
}

/** As the engine stores a small result. */
const keep = (format: NewResult['format'], data: Buffer): NewResult => ({
  format,
  bytes: data.length,
  sha256: createHash('sha256').update(data).digest('hex'),
  keptMs: null,
  content: { data },
})

const readResult = (outcome: Outcome): unknown => {
  if (outcome.type !== 'completed' || outcome.result === undefined || !('data' in outcome.result.content))
    return undefined
  return JSON.parse(Buffer.from(outcome.result.content.data).toString())
}
