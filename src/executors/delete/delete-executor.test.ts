import { expect, test } from 'vitest'
import { claimedJob, createContext } from '../../../test/command/attempt.ts'
import type { Data } from '../../data/data.ts'
import { createDeleteExecutor } from './delete-executor.ts'

test('a delete stops at once while its engine is starting', async () => {
  const starting = new Promise<void>(() => {})
  const data = { home: null, ready: () => starting } as Partial<Data> as Data
  const context = createContext()
  const job = { ...claimedJob({ delete: { datasource: 'rows', condition: 'a = 1' } }), kind: 'delete' } as const
  const outcome = createDeleteExecutor({ data }).run(job, context)
  context.stop.stop('cancelled_by_user', 1000)
  expect(await outcome).toEqual({ type: 'stopped' })
})
