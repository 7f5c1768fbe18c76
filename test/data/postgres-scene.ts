import { createTestDatabase } from '../test-database.ts'
import { type DataScene, openDataScene } from './scene.ts'

/** The same with PostgreSQL as the store: a database of its own, which `stop` drops. */
export const openPostgresDataScene = async (settings: Record<string, string> = {}): Promise<DataScene> => {
  const database = await createTestDatabase()
  const scene = await openDataScene({ settings: { 'database-url': database.url, ...settings } })
  const stop = async (): Promise<void> => {
    await scene.stop()
    await database.drop()
  }
  return { ...scene, stop }
}
