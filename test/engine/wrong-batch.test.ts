import { afterAll, expect, test } from 'vitest'
import type { MillraceError } from '../../src/kernel/errors.ts'
import { removeDataDirs, startEngine } from './harness.ts'

afterAll(removeDataDirs)

test('only the first of ten thousand invalid bodies are checked', async () => {
  let judged = 0
  const check = () => {
    judged += 1
    return [{ path: 'command', message: 'is wrong' }]
  }
  const { engine, close } = await startEngine({ script: async () => ({ type: 'stopped' }), definition: { check } })
  const submitter = { workspace: 'default', scopes: [], parentJobId: null }
  const bodies = Array.from({ length: 10_000 }, () => ({ command: 'true' }))
  const refusal: MillraceError = await engine.submit({ submitter, bodies, path: 'jobs' }).then(
    () => expect.unreachable(),
    error => error,
  )
  expect(refusal.errors).toHaveLength(100)
  expect(refusal.errors[99]).toEqual({ path: 'jobs.99.command', message: 'is wrong' })
  expect(judged).toBe(201)
  await close()
})
