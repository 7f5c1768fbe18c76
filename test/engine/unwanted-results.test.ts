import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { ExecutionContext } from '../../src/executors/executor.ts'
import type { NewResult, Outcome } from '../../src/model/outcome.ts'
import { removeDataDirs, type Script, startEngine, type TestEngine } from './harness.ts'

afterAll(removeDataDirs)

const blobsOf = ({ dataDir }: TestEngine): readonly string[] =>
  readdirSync(join(dataDir, 'blobs'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ name }) => name)

const large = (context: ExecutionContext): Promise<NewResult> =>
  context.keepResult({ format: 'csv', content: Buffer.alloc(300_000, 'x') })

const stopped = ({ stop }: ExecutionContext): Promise<void> =>
  new Promise(resolve => {
    stop.onChange(resolve)
    if (stop.cause) resolve()
  })

/** Makes a result, then ends as the test decides. */
const start = async (rest: (context: ExecutionContext, result: NewResult) => Promise<Outcome>) => {
  const made = Promise.withResolvers<void>()
  const script: Script = async (_, context) => {
    const result = await large(context)
    made.resolve()
    return rest(context, result)
  }
  const started = await startEngine({ script })
  const [id] = await started.submit({})
  await made.promise
  return { ...started, id: id!, started }
}

test('the complete result of a job that was cancelled leaves no blob', async () => {
  const { id, started, store, ended, close } = await start(async (context, result) => {
    await stopped(context)
    return { type: 'completed', result }
  })
  expect(blobsOf(started)).toHaveLength(1)
  await store.cancelJob({ workspace: 'default', jobId: id, reason: 'cancelled_by_user', graceMs: null })
  expect(await ended(id)).toMatchObject({ status: 'cancelled' })
  await expect.poll(() => blobsOf(started)).toEqual([])
  await close()
})

test('the result of an attempt that fails leaves no blob', async () => {
  const { id, started, ended, close } = await start(async () => ({
    type: 'failed',
    failure: 'user',
    reason: 'exit_code',
    message: 'exit code 3',
  }))
  expect(await ended(id)).toMatchObject({ status: 'failed' })
  await expect.poll(() => blobsOf(started)).toEqual([])
  await close()
})

test('the result of a completed job is kept', async () => {
  const { id, started, ended, close } = await start(async (_, result) => ({ type: 'completed', result }))
  expect(await ended(id)).toMatchObject({ status: 'completed' })
  await close()
  expect(blobsOf(started)).toHaveLength(1)
})
