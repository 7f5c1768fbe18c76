import { afterAll, beforeAll, expect, test } from 'vitest'
import { newJob, Scene } from '../../../../test/conformance/suite/scene.ts'
import { WorkflowScene } from '../../../../test/conformance/suite/workflow-scene.ts'
import { VirtualClock } from '../../../../test/conformance/virtual-clock.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/test-database.ts'
import { openPostgresStore } from '../postgres-store.ts'

let database: TestDatabase
let scene: Scene
const steps = new WorkflowScene(() => scene)
beforeAll(async () => {
  database = await createTestDatabase()
  const clock = new VirtualClock(Date.UTC(2026, 10, 21, 12))
  const store = await openPostgresStore({ url: database.url, processName: 'test', clock })
  scene = new Scene(clock, { store, isShared: true, close: () => store.close(), reopen: async () => store })
})
afterAll(async () => {
  await scene.close()
  await database.drop()
})

test('items added through a server of an earlier version join their run', async () => {
  const runId = await steps.start(await steps.create(), 1)
  const item = await scene.claimOne()
  const items = [newJob({ runId, workflowId: item.workflowId })]
  const which = { workspace: 'default', jobId: item.id, attempt: item.attempt }
  expect(await scene.store.extendRun({ ...which, items, maxItems: 10 })).toBe('kept')
  await database.query(
    `UPDATE millrace.extension SET items = (items::jsonb #- '{0,dataSource}' #- '{0,pipe}')::text WHERE items LIKE '%dataSource%'`,
  )
  await scene.end(item)
  expect(await scene.store.getSubmission({ workspace: 'default', jobId: items[0]!.id })).toEqual(items[0])
})
