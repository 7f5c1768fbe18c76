import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { storeSuite } from './store-suite.ts'

storeSuite('SQLite', async clock => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-sqlite-'))
  const open = () => openSqliteStore({ path: join(directory, 'millrace.db'), clock })
  let store = await open()
  return {
    store,
    isShared: false,
    reopen: async () => {
      await store.close()
      store = await open()
      return store
    },
    close: async () => {
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
})
