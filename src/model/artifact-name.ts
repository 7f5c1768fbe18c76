import type { Artifact } from './job.ts'

const MAX_NAME_BYTES = 1024

/** C0 and C1 controls, DEL, and line separators: they can forge headers, logs and terminal output. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u

/**
 * What is wrong with an artifact's name; null: nothing. It must be a relative path of `/`-separated segments that does not leave its folder. Names are not
 * normalized, so a refused name cannot return in another spelling.
 */
export const artifactNameFault = (name: string): string | null => {
  if (name === '') return 'must not be empty'
  if (!name.isWellFormed()) return 'must be valid Unicode'
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `must be at most ${MAX_NAME_BYTES} bytes in UTF-8`
  if (CONTROL.test(name)) return 'must have no control characters'
  if (name.includes('\\')) return 'must use / and no backslash'
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) return 'must be relative: no leading / and no drive letter'
  const segments = name.split('/')
  if (segments.includes('')) return 'must have no empty segment: neither // nor a / at the end'
  if (segments.some(segment => segment === '.' || segment === '..')) return 'must have no segment . or ..'
  return null
}

/** Whether an artifact keeps its name when `attempt` (undefined: a user) adds one of that name. An attempt replaces what earlier attempts left. */
export const keepsName = (artifact: Pick<Artifact, 'attempt'>, attempt: number | undefined): boolean =>
  artifact.attempt === null || attempt === undefined || artifact.attempt >= attempt
