import { createTestDatabase } from '../test-database.ts'
import { openImportScene } from './scene.ts'
import { describeImportsAndOthers } from './store-suite.ts'

describeImportsAndOthers('imports, with PostgreSQL', async () => {
  const database = await createTestDatabase()
  const scene = await openImportScene({ 'database-url': database.url })
  const stop = async (): Promise<void> => {
    await scene.stop()
    await database.drop()
  }
  return { ...scene, stop }
})
