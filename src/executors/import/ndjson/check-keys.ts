import type { DataSource } from '../../../model/data-source.ts'
import { jsonPathOf } from '../../../model/json-path.ts'
import { readObjects } from '../create/infer-ndjson.ts'
import { mismatch, shownNames } from '../load/file-columns.ts'
import type { Sample } from '../spool/read-sample.ts'

/**
 * Checks that the objects at the beginning are for this data source: one of them must have a key that a column reads. Otherwise a wrong file would become rows
 * without a value, and could replace others. Throws `ImportFailure` `schema_mismatch`.
 */
export const checkKeys = (sample: Sample, target: DataSource): void => {
  const read = new Set(target.columns.map(column => String(jsonPathOf(column)[0])))
  const found = new Set<string>()
  for (const object of readObjects(sample)) {
    const keys = Object.keys(object)
    if (keys.some(key => read.has(key))) return
    for (const key of keys) found.add(key)
  }
  if (found.size === 0) return
  const [theirs, ours] = [shownNames([...found]), shownNames([...read])]
  throw mismatch(
    `No object has a key that ${target.name} reads. Keys of the file: ${theirs}. Keys that are read: ${ours}.`,
  )
}
