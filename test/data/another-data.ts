import { createData, type Data } from '../../src/data/data.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import type { DataScene } from './scene.ts'

/** The tables of a scene as another process, or another server, has them. `warehouse`: the scene's, or one that meddles. */
export const anotherData = ({ store, warehouse: own }: DataScene, warehouse = own): Data =>
  createData({
    store,
    warehouse,
    logger: silentLogger,
    quarantineKeptMs: Number.POSITIVE_INFINITY,
    jobsLogKeptMs: Number.POSITIVE_INFINITY,
  })
