import { SECRET_SINK_FIELDS } from './sink.ts'

/** Which values of a job body are secret, and how they are removed from it (`api.md`, Secrets). Pure: the store encrypts them. */

const SECRET_WORDS = /TOKEN|SECRET|PASSWORD|KEY|AUTHORIZATION|COOKIE/i

/** Replaces a secret wherever a body is shown. */
export const MASKED = '***'

/** Shorter secrets are not masked in logs: that would blot out ordinary text. */
export const SHORTEST_MASKED = 8

const isSecretName = (name: string, listed: readonly string[]): boolean =>
  listed.includes(name) || SECRET_WORDS.test(name)

type Body = Readonly<Record<string, unknown>>
type TextMap = Readonly<Record<string, string>>

type Taken = {
  /** The body with `"***"` in place of its secrets. */
  readonly body: Body
  /** Secret values by dotted path (`environment.API_TOKEN`, `sinks.0.secret`). */
  readonly secrets: Readonly<Record<string, string>>
  /** Names in `listed` that do not occur in the body. */
  readonly unknown: readonly string[]
}

/** Removes secrets from a body: from the text maps at `mapPaths` (for example `environment`, `http.headers`), and from its sinks. */
export const takeSecrets = (body: Body, mapPaths: readonly string[], listed: readonly string[]): Taken => {
  const secrets: Record<string, string> = {}
  const names = new Set<string>()
  let masked = body
  for (const path of mapPaths) {
    const map = valueAt(body, path)
    if (map === undefined) continue
    const shown = maskMap({ map, path, listed, secrets, names })
    if (shown !== map) masked = replaceAt(masked, path.split('.'), shown)
  }
  if (body.sinks !== undefined)
    masked = { ...masked, sinks: maskSinks(body.sinks as Body[], { listed, secrets, names }) }
  return { body: masked, secrets, unknown: listed.filter(name => !names.has(name)) }
}

type Collected = {
  readonly listed: readonly string[]
  readonly secrets: Record<string, string>
  readonly names: Set<string>
}

const maskMap = ({ map, path, listed, secrets, names }: Collected & { map: TextMap; path: string }): TextMap => {
  let shown: Record<string, string> | null = null
  for (const [name, value] of Object.entries(map)) {
    names.add(name)
    if (!isSecretName(name, listed)) continue
    secrets[`${path}.${name}`] = value
    shown ??= { ...map }
    shown[name] = MASKED
  }
  return shown ?? map
}

const maskSinks = (sinks: readonly Body[], collected: Collected): readonly Body[] =>
  sinks.map((sink, index) => {
    const shown: Record<string, unknown> = { ...sink }
    for (const field of SECRET_SINK_FIELDS) {
      if (sink[field] === undefined) continue
      collected.secrets[`sinks.${index}.${field}`] = sink[field] as string
      shown[field] = MASKED
    }
    if (sink.headers !== undefined)
      shown.headers = maskMap({ ...collected, map: sink.headers as TextMap, path: `sinks.${index}.headers` })
    return shown
  })

/**
 * Puts secrets back where `"***"` stands, by path: the one taken from `payload.0.environment.TOKEN` goes back there. `path` is the path of the value in the
 * original body. A mask without a secret stays.
 */
export const putSecrets = <T>(value: T, secrets: Readonly<Record<string, string>>, path = ''): T => {
  if (value === MASKED) return (Object.hasOwn(secrets, path) ? secrets[path] : value) as T
  if (typeof value !== 'object' || value === null) return value
  const below = (name: string | number): string => (path === '' ? String(name) : `${path}.${name}`)
  if (Array.isArray(value)) return value.map((part, index) => putSecrets(part, secrets, below(index))) as T
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, putSecrets(part, secrets, below(name))]),
  ) as T
}

const valueAt = (body: Body, path: string): TextMap | undefined => {
  let value: unknown = body
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[part]
  return value as TextMap | undefined
}

const replaceAt = (body: Body, path: readonly string[], value: unknown): Body => {
  const [head, ...rest] = path
  return {
    ...body,
    [head!]: rest.length === 0 ? value : replaceAt(body[head!] as Record<string, unknown>, rest, value),
  }
}
