import type { Endpoint } from '../engines.ts'
import { askForJson } from './ask-server.ts'

/** Settings that the account's profile or `users.xml` sets to other values than ClickHouse's defaults. */
export type ChangedSettings = {
  /** Those that change the meaning of a statement or the form of its answer, with ClickHouse's own defaults, to be sent. */
  readonly toSend: Readonly<Record<string, string>>
  /** Those among them that the account may not change. */
  readonly fixed: readonly string[]
}

/** Lists of texts look the same under any format setting. */
const CHANGED_SQL = `SELECT toJSONString(groupArray([name, default, toString(readonly)])) FROM system.settings
  WHERE changed AND NOT is_obsolete AND alias_for = '' AND description != '' FORMAT TSVRaw`

/** Limits and housekeeping are up to the operator. What happens at a limit is not: `break` would pass off some of the rows as all. */
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
