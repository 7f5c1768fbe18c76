import type { DataSource } from '../../../model/data-source.ts'
import { WarehouseError } from '../../../warehouse/warehouse.ts'
import { loadAll } from '../load/load-all.ts'
import { type ContentLoad, countRows, type LoadCounts, startAnew } from '../load/load-content.ts'
import { loadSieved, toCounts, trySplit } from '../load/load-sieved.ts'
import { linesAreRight } from './check-lines.ts'
import { ndjsonReader } from './ndjson-reader.ts'

/** Loads NDJSON into staging: in one pass if every row fits, else split, without any lines that are not objects. */
export const loadNdjson = async (load: ContentLoad & { readonly target: DataSource }): Promise<LoadCounts> => {
  const { place, target } = load
  const all = await loadAll(place, ndjsonReader(target, { isUtf8: true })).catch(ofMemory)
  await load.whole()
  const areRight = await linesAreRight(load).catch(ofMemory)
  if (all === 'loaded' && areRight && load.isUtf8()) {
    const written = await countRows(place)
    return { read: written, written, quarantined: 0, invalid: 0, samples: [] }
  }
  await startAnew(load)
  const isUtf8 = areRight && load.isUtf8()
  const reader = ndjsonReader(target, { isUtf8 })
  const counts = areRight ? await trySplit(load, reader) : null
  return counts === null ? loadSieved(load, { csv: null, reader }) : toCounts(counts)
}

/** The engine may not have the memory for a line of hundreds of MiB, which is invalid however much it has. If that is not why, the next load fails like this. */
const ofMemory = (error: unknown): false => {
  if (error instanceof WarehouseError && error.reason === 'query_memory') return false
  throw error
}
