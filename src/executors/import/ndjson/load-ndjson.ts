import type { DataSource } from '../../../model/data-source.ts'
import { loadAll } from '../load/load-all.ts'
import { type ContentLoad, countRows, type LoadCounts, startAnew } from '../load/load-content.ts'
import { loadSieved, toCounts, trySplit } from '../load/load-sieved.ts'
import { ndjsonReader } from './ndjson-reader.ts'

/** NDJSON into staging: in one pass where every row fits, else split, else split without the lines that are no JSON. */
export const loadNdjson = async (load: ContentLoad & { readonly target: DataSource }): Promise<LoadCounts> => {
  const { place, target } = load
  if ((await loadAll(place, ndjsonReader(target, { isUtf8: true }))) === 'loaded') {
    await load.whole()
    if (load.isUtf8()) {
      const written = await countRows(place)
      return { read: written, written, quarantined: 0, invalid: 0, samples: [] }
    }
  }
  await startAnew(load)
  const reader = ndjsonReader(target, { isUtf8: false })
  const counts = await trySplit(load, reader)
  await load.whole()
  return counts === null ? loadSieved(load, { csv: null, reader }) : toCounts(counts)
}
