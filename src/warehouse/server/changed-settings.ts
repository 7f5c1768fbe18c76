import type { Endpoint } from '../engines.ts'
import { askForJson } from './ask-server.ts'

/** Settings that an account has otherwise than ClickHouse has them by itself, by its profile or `users.xml`. */
export type ChangedSettings = {
  /** Those that change what a statement means or how its answer looks, with the values to send: those of ClickHouse itself. */
  readonly toSend: Readonly<Record<string, string>>
  /** The same of which the account may not change the value. */
  readonly fixed: readonly string[]
}

/** As lists of texts: no setting of a format changes how they are written. */
const CHANGED_SQL = `SELECT toJSONString(groupArray([name, default, toString(readonly)])) FROM system.settings
  WHERE changed AND NOT is_obsolete AND alias_for = '' AND description != '' FORMAT TSVRaw`

/** Limits and housekeeping are the operator's. What a limit does is not: `break` would give a part of the rows for all. */
const OPERATORS = /^(max_|min_|log_|queue_|timeout_before_|(allow_ddl|priority|readonly|workload)$)|_timeout(_m?s)?$/
const OVERFLOW = /_overflow_mode$/

export const changedSettings = async (question: {
  readonly endpoint: Endpoint
  readonly host: string
}): Promise<ChangedSettings> => {
  const rows = await askForJson<readonly [string, string, string][]>({ ...question, sql: CHANGED_SQL })
  const ours = rows.filter(([name]) => OVERFLOW.test(name) || !OPERATORS.test(name))
  return {
    toSend: Object.fromEntries(ours.flatMap(([name, value, isFixed]) => (isFixed === '0' ? [[name, value]] : []))),
    fixed: ours.flatMap(([name, , isFixed]) => (isFixed === '0' ? [] : [name])),
  }
}
