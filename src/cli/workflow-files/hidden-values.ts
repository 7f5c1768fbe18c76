import { SECRET_SINK_FIELDS } from '../../model/sink.ts'

/** Shown instead of a secret. */
export const HIDDEN = '***'

const SECRET_WORDS = /TOKEN|SECRET|PASSWORD|KEY|AUTHORIZATION|COOKIE/i

/** A value in a map where names mark secrets; anywhere else a name means nothing. */
const IN_MAP = /(?:^|\.)(?:environment|headers)\.(.+)$/
const IN_SINK = new RegExp(`(?:^|\\.)sinks\\.\\d+\\.(?:${SECRET_SINK_FIELDS.join('|')})$`)

/**
 * Whether the value at a path must be hidden: it came from the environment, is a sink's secret, or has a name that sounds secret or is listed in `secrets`
 * anywhere in the definition. It is better to hide too much: the server decides which values are secret, and shows those as `"***"` anyway.
 */
export const isHidden = (path: string, filled: ReadonlySet<string>, listed: ReadonlySet<string>): boolean => {
  if (filled.has(path) || IN_SINK.test(path)) return true
  const name = IN_MAP.exec(path)?.[1]
  return name !== undefined && (SECRET_WORDS.test(name) || listed.has(name))
}

/** All names in lists of `secrets`. */
export const listedSecrets = (leaves: ReadonlyMap<string, unknown>): ReadonlySet<string> =>
  new Set([...leaves].filter(([path]) => /(?:^|\.)secrets\.\d+$/.test(path)).map(([, name]) => String(name)))
