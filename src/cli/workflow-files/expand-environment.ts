/** Texts of these fields are programs of their own, in which `${…}` is theirs. */
const LEFT_ALONE: ReadonlySet<string> = new Set(['command', 'stdin', 'query'])

/** `$${`, `${NAME}` with a name as shells have them, or a `${` that is neither. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g

export type Expanded = {
  readonly value: unknown
  /** Dotted paths of the values that hold something from the environment: never to be shown. */
  readonly filled: ReadonlySet<string>
  /** What was put in, with the names it has. */
  readonly values: ReadonlyMap<string, string>
  readonly faults: readonly EnvironmentFault[]
}

/** A variable that is not set; `name` null: a `${` that is followed by no name and `}`. */
export type EnvironmentFault = { readonly path: string; readonly name: string | null }

/**
 * Puts variables of the environment in place of `${NAME}` in every text of a definition, except in `command`, `stdin` and
 * `query`, whose own language that is: what they need goes through `environment`. `$${` stands for `${` itself, so that
 * every other form of shells (`${NAME:-default}`) can be told as a fault.
 * What is put in is not looked at again. Names of fields stay as they are.
 */
export const expandEnvironment = (
  definition: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): Expanded => {
  const filled = new Set<string>()
  const values = new Map<string, string>()
  const faults: EnvironmentFault[] = []
  const expandText = (text: string, path: string): string =>
    text.replace(REFERENCE, (whole, name: string | undefined) => {
      if (whole === '$${') return '${'
      const value = name === undefined ? undefined : environment[name]
      if (name === undefined || value === undefined) {
        faults.push({ path, name: name ?? null })
        return whole
      }
      filled.add(path)
      values.set(value, name)
      return value
    })
  const expand = (value: unknown, path: readonly string[]): unknown => {
    if (typeof value === 'string') return expandText(value, path.join('.'))
    if (Array.isArray(value)) return value.map((inner, index) => expand(inner, [...path, String(index)]))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([name, inner]) => [
      name,
      isProgram(name, path) ? inner : expand(inner, [...path, name]),
    ])
    return Object.fromEntries(entries)
  }
  return { value: expand(definition, []), filled, values, faults }
}

/** In an item of the payload, not where a user happens to have named a variable or a parameter so. */
const isProgram = (name: string, path: readonly string[]): boolean =>
  LEFT_ALONE.has(name) && path.length === 2 && path[0] === 'payload'
