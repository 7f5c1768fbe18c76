import { describe } from 'vitest'
import { startTestServer } from '../server.ts'
import { createTestDatabase } from '../test-database.ts'
import { hostileSuite } from './hostile-suite.ts'

describe('no request causes a server fault, on PostgreSQL', () => {
  hostileSuite(async () => {
    const database = await createTestDatabase()
    const settings = { 'max-body-bytes': '1MiB', 'database-url': database.url }
    const server = await startTestServer({ settings })
    return { ...server, stop: () => server.stop().then(database.drop) }
  })
})
