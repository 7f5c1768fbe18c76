/** These fields contain programs with their own meaning of `${…}`. */
const LEFT_ALONE: ReadonlySet<string> = new Set(['command', 'stdin', 'query'])

/** `$${`, `${NAME}` with a shell-style name, or any other `${`. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g

/** A definition with variables substituted, and what was substituted where. */
export type Expanded = {
  readonly value: unknown
  /** Dotted paths of the values that contain something from the environment: never show them. */
  readonly filled: ReadonlySet<string>
  /** The substituted values, with their variables' names. */
  readonly values: ReadonlyMap<string, string>
  readonly faults: readonly EnvironmentFault[]
}

/** A variable that is not set; `name` null: a `${` that does not start a valid `${NAME}`. */
export type EnvironmentFault = { readonly path: string; readonly name: string | null }

/**
 * Substitutes environment variables for `${NAME}` in every text of a definition. Exceptions are `command`, `stdin` and `query`, which use that syntax
 * themselves and get variables through `environment`. `$${` stands for a literal `${`, so that any other shell form (`${NAME:-default}`) can be reported as a
 * fault.
 * Substituted values are not expanded again. Names of fields are unchanged.
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

/** Only in an item of the payload, not for a variable or parameter with that name. */
const isProgram = (name: string, path: readonly string[]): boolean =>
  LEFT_ALONE.has(name) && path.length === 2 && path[0] === 'payload'
