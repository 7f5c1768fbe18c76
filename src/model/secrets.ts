/** Which values of a job body are secret, and how they are taken out of it (`api.md`, Secrets). Pure: sealing is the store's. */

const SECRET_WORDS = /TOKEN|SECRET|PASSWORD|KEY|AUTHORIZATION|COOKIE/i

/** What stands in place of a secret wherever a body is shown. */
const MASKED = '***'

/** Secret values shorter than this are not masked in logs: they would blot out ordinary text. */
export const SHORTEST_MASKED = 8

const isSecretName = (name: string, listed: readonly string[]): boolean =>
  listed.includes(name) || SECRET_WORDS.test(name)

type Taken = {
  /** The body with `"***"` in place of secrets. */
  readonly body: Readonly<Record<string, unknown>>
  /** Secret values by dotted path (`environment.API_TOKEN`). */
  readonly secrets: Readonly<Record<string, string>>
  /** Names of `listed` that stand nowhere. */
  readonly unknown: readonly string[]
}

/** Takes secrets out of the text maps of a body that lie at `mapPaths` (for example `environment`, `http.headers`). */
export const takeSecrets = (
  body: Readonly<Record<string, unknown>>,
  mapPaths: readonly string[],
  listed: readonly string[],
): Taken => {
  const secrets: Record<string, string> = {}
  const names = new Set<string>()
  let masked = body
  for (const path of mapPaths) {
    const map = valueAt(body, path)
    if (map === undefined) continue
    const shown = maskMap({ map, path, listed, secrets, names })
    if (shown !== map) masked = replaceAt(masked, path.split('.'), shown)
  }
  return { body: masked, secrets, unknown: listed.filter(name => !names.has(name)) }
}

type TextMap = Readonly<Record<string, string>>
type MaskInput = {
  map: TextMap
  path: string
  listed: readonly string[]
  secrets: Record<string, string>
  names: Set<string>
}

const maskMap = ({ map, path, listed, secrets, names }: MaskInput): TextMap => {
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

const valueAt = (body: Readonly<Record<string, unknown>>, path: string): TextMap | undefined => {
  let value: unknown = body
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[part]
  return value as TextMap | undefined
}

const replaceAt = (
  body: Readonly<Record<string, unknown>>,
  path: readonly string[],
  value: unknown,
): Readonly<Record<string, unknown>> => {
  const [head, ...rest] = path
  return {
    ...body,
    [head!]: rest.length === 0 ? value : replaceAt(body[head!] as Record<string, unknown>, rest, value),
  }
}
