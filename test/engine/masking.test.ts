import { afterAll, expect, test } from 'vitest'
import type { ExecutionContext } from '../../src/executors/executor.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { removeDataDirs, type Script, startEngine } from './harness.ts'

afterAll(removeDataDirs)

const SECRET = 'a-long-secret'
const environment = { API_TOKEN: SECRET, SHORT_KEY: 'seven77' }
const base64 = Buffer.from(SECRET).toString('base64')

const failed = (message: string): Outcome => ({ type: 'failed', failure: 'user', reason: 'function_threw', message })

/** Every secret that a job may know, in one text. */
const everything = ({ secrets, environment: own }: ExecutionContext): string =>
  `${secrets['environment.API_TOKEN']} ${base64} ${own.MILLRACE_TOKEN} ${secrets['environment.SHORT_KEY']}`

test.each<[string, Script]>([
  ['an executor tells', async (_, context) => failed(everything(context))],
  [
    'an executor crashes with',
    (_, context) => {
      throw new Error(everything(context))
    },
  ],
])('secrets and the token are masked in errors that %s, in the job and in its attempts', async (_, script) => {
  const { submit, ended, store, close } = await startEngine({ script })
  const [jobId] = await submit({ environment, restartable: false })
  expect((await ended(jobId!)).errorMessage).toMatch(/^\*{3} \*{3}A?=* \*{3} seven77$/)
  const attempts = (await store.listAttempts({ workspace: 'default', jobId: jobId! }))!
  for (const { errorMessage } of attempts) expect(errorMessage).toMatch(/^\*{3} \*{3}A?=* \*{3} seven77$/)
  await close()
})

test('secrets and the token are masked in progress messages, and nothing else is changed', async () => {
  const release = Promise.withResolvers<Outcome>()
  const script: Script = (_, context) => {
    context.progress({ percentage: 40, message: `with ${everything(context)}`, steps: [{ id: 'a', status: 'done' }] })
    return release.promise
  }
  const { submit, until, ended, close } = await startEngine({ script })
  const [jobId] = await submit({ environment })
  const { progress } = await until(jobId!, job => job.progress !== null)
  expect(progress).toMatchObject({ percentage: 40, steps: [{ id: 'a', status: 'done' }] })
  expect(progress?.message).toMatch(/^with \*{3} \*{3}A?=* \*{3} seven77$/)
  release.resolve({ type: 'completed' })
  await ended(jobId!)
  await close()
})

test('the messages of a job without secrets or token are left as they are', async () => {
  const { submit, ended, close } = await startEngine({ script: async () => failed('exit code 3') })
  const [jobId] = await submit({})
  expect((await ended(jobId!)).errorMessage).toBe('exit code 3')
  await close()
})
