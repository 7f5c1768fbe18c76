import { createTestDatabase } from '../test-database.ts'
import { describeKills } from './kill-suite.ts'

describeKills('with PostgreSQL', async () => {
  const { url, drop } = await createTestDatabase()
  return { settings: { 'database-url': url }, environment: { MILLRACE_DATABASE_URL: url }, drop }
})
