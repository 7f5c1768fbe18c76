import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { canMount, mountSmallDisk, type SmallDisk } from '../survive/small-disk.ts'
import { type ImportScene, openImportScene } from './scene.ts'

/** Only root can make a disk that is really full. */
const testOnDisk = test.runIf(canMount)

let disk: SmallDisk
let scene: ImportScene
beforeAll(async () => {
  if (!canMount) return
  disk = mountSmallDisk(200)
  scene = await openImportScene({}, join(disk.path, 'data'))
})
afterAll(async () => {
  await scene?.stop()
  disk?.unmount()
})

testOnDisk(
  'an import that fills the disk fails with disk_full, leaves nothing, and the next one works',
  async () => {
    await scene.dataSource('events', { id: 'Int64', text: 'String' })
    expect(await scene.import({ datasource: 'events', url: scene.give('/small', '1,a\n') })).toMatchObject({
      status: 'completed',
    })
    const large = scene.give('/large', (_, response) => {
      const block = Buffer.from('2,some text\n'.repeat(100_000))
      let sent = 0
      const send = (): void => {
        while (sent++ < 300) if (!response.write(block)) return void response.once('drain', send)
        response.end()
      }
      send()
    })
    expect(await scene.import({ datasource: 'events', url: large })).toMatchObject({
      status: 'failed',
      error: { code: 'disk_full' },
    })
    expect(await scene.table('events')).toEqual([['1', 'a']])
    expect(await scene.staging()).toEqual([])
    expect(await scene.import({ datasource: 'events', url: scene.give('/small', '3,c\n') })).toMatchObject({
      status: 'completed',
      statistics: { row_count: 2 },
    })
  },
  120_000,
)
