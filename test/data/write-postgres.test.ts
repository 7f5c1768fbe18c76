import { createTestDatabase } from '../test-database.ts'
import { openDataScene } from './scene.ts'
import { describeWrites } from './write-suite.ts'

describeWrites('with PostgreSQL', async () => {
  const database = await createTestDatabase()
  const scene = await openDataScene({ settings: { 'database-url': database.url } })
  const stop = async () => {
    await scene.stop()
    await database.drop()
  }
  return { ...scene, stop }
})
