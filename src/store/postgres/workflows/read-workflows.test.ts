import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../../test/test-database.ts'
import { newId } from '../../../kernel/ids.ts'
import type { Store } from '../../store.ts'
import { openPostgresStore } from '../postgres-store.ts'

let database: TestDatabase
let store: Store
const name = `with_locale_${process.pid}`
beforeAll(async () => {
  database = await createTestDatabase()
  await database.query(`CREATE DATABASE ${name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`)
  const url = Object.assign(new URL(database.url), { pathname: `/${name}` }).href
  store = await openPostgresStore({ url, processName: 'test' })
})
afterAll(async () => {
  await store.close()
  await database.query(`DROP DATABASE ${name} WITH (FORCE)`)
  await database.drop()
})

test('a search of workflows ignores the case of all letters that the locale of the database knows', async () => {
  for (const name of ['Ärger', 'noch mehr ärger', 'keiner'])
    await store.createWorkflow({
      id: newId(),
      workspace: 'default',
      name,
      definition: '{}',
      secrets: null,
      scopes: [],
      maxConsecutiveFailures: null,
      timing: { cursor: 0, next: null },
    })
  for (const query of ['ärger', 'ÄRGER']) {
    const search = { workspace: 'default', filters: { query } }
    const { workflows } = await store.listWorkflows({ ...search, limit: 10, cursor: null })
    expect(workflows.map(workflow => workflow.name)).toEqual(['noch mehr ärger', 'Ärger'])
    expect(await store.countWorkflows(search)).toBe(2)
  }
})
