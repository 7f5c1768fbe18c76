import pg from 'pg'
import { expect, test } from 'vitest'
import { createTestDatabase } from '../test-database.ts'

test('each test database is empty and of its own', async () => {
  const a = await createTestDatabase()
  expect(a.url).toMatch(/^postgres:/)
})
