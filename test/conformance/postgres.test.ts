import { afterAll, beforeAll } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'
import { storeSuite } from './store-suite.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

storeSuite('PostgreSQL', async clock => {
  await database.renew()
  const open = () => openPostgresStore({ url: database.url, processName: 'test', clock })
  let store = await open()
  return {
    store,
    isShared: true,
    close: () => store.close(),
    reopen: async () => {
      await store.close()
      store = await open()
      return store
    },
  }
})
