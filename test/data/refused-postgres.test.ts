import { afterAll, beforeAll } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'
import { describeRefusals } from './refused-suite.ts'
import { openDataScene } from './scene.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database?.drop())

describeRefusals('rows that the engine refuses, with PostgreSQL', ({ settings, ...opening }) =>
  openDataScene({ ...opening, settings: { ...settings, 'database-url': database.url } }),
)
