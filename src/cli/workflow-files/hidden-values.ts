import { SECRET_SINK_FIELDS } from '../../model/sink.ts'

/** In place of what is secret. */
export const HIDDEN = '***'

const SECRET_WORDS = /TOKEN|SECRET|PASSWORD|KEY|AUTHORIZATION|COOKIE/i

/** A value of a map whose values are secret by their name; everywhere else a name says nothing. */
const IN_MAP = /(?:^|\.)(?:environment|headers)\.(.+)$/
const IN_SINK = new RegExp(`(?:^|\\.)sinks\\.\\d+\\.(?:${SECRET_SINK_FIELDS.join('|')})$`)

/**
 * Whether the value at a path must not be shown: it came from the environment, is a sink's secret, or its name says that
 * it is secret or is in a list of `secrets` anywhere in the definition. Rather one too many than one too few: the server
 * decides which values are secret, and shows those as `"***"` anyway.
 */
export const isHidden = (path: string, filled: ReadonlySet<string>, listed: ReadonlySet<string>): boolean => {
  if (filled.has(path) || IN_SINK.test(path)) return true
  const name = IN_MAP.exec(path)?.[1]
  return name !== undefined && (SECRET_WORDS.test(name) || listed.has(name))
}

/** All names that stand in lists of `secrets`. */
export const listedSecrets = (leaves: ReadonlyMap<string, unknown>): ReadonlySet<string> =>
  new Set([...leaves].filter(([path]) => /(?:^|\.)secrets\.\d+$/.test(path)).map(([, name]) => String(name)))
