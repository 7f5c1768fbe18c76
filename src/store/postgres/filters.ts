import type { JobFilters } from '../store.ts'
import { storable } from './array-literal.ts'

/** Collects the parameters of a statement built from fragments; `add` returns the `$n` that stands for a value. */
export class Parameters {
  readonly values: unknown[] = []

  add(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }
}

/** Conditions on `job AS j` for all filters except status. */
export const jobConditions = (filters: JobFilters, parameters: Parameters): string[] => {
  const equal = (column: string, value: string | undefined) =>
    value === undefined ? [] : [`j.${column} = ${parameters.add(storable(value))}`]
  return [
    ...(filters.kind ? [`j.kind = ANY (${parameters.add(filters.kind)}::text[])`] : []),
    ...equal('trigger', filters.trigger),
    ...equal('workflow_id', filters.workflowId),
    ...equal('run_id', filters.runId),
    ...equal('parent_job_id', filters.parentJobId),
    ...equal('queue', filters.queue),
    ...equal('data_source', filters.dataSource),
    ...equal('pipe', filters.pipe),
    ...nameConditions(filters.name, parameters),
    ...(filters.labels ?? []).map(label => labelCondition(label, parameters)),
    ...(filters.createdAfter === undefined ? [] : [`j.created_at > ${parameters.add(filters.createdAfter)}::bigint`]),
    ...(filters.createdBefore === undefined ? [] : [`j.created_at < ${parameters.add(filters.createdBefore)}::bigint`]),
  ]
}

/** A prefix as a range, which an index can serve. The column is compared by code points (collation C). */
export const nameConditions = (prefix: string | undefined, parameters: Parameters): string[] => {
  if (!prefix) return []
  const text = storable(prefix)
  const end = firstAfter(text)
  return [`j.name >= ${parameters.add(text)}`, ...(end === null ? [] : [`j.name < ${parameters.add(end)}`])]
}

/** The first text that sorts after all that begin with `prefix`; null if there is none. */
const firstAfter = (prefix: string): string | null => {
  const points = [...prefix].map(character => character.codePointAt(0)!)
  while (points.at(-1) === 0x10ffff) points.pop()
  if (points.length === 0) return null
  const last = points.pop()! + 1
  // Skips the surrogates, which are not characters.
  return String.fromCodePoint(...points, last === 0xd800 ? 0xe000 : last)
}

const labelCondition = (label: { readonly key: string; readonly value: string }, parameters: Parameters): string => `
  EXISTS (
    SELECT FROM millrace.job_label AS label
    WHERE label.workspace = j.workspace AND label.key = ${parameters.add(storable(label.key))}
      AND label.value = ${parameters.add(storable(label.value))} AND label.sequence = j.sequence
  )`
