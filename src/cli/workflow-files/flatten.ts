/** The individual values of a definition by dotted path, for comparing and showing. */
export type Leaves = ReadonlyMap<string, unknown>

/** Empty lists and objects count as values. `null` means the same as an absent field, so nulls are left out. */
export const flatten = (value: unknown): Leaves => {
  const leaves = new Map<string, unknown>()
  const visit = (inner: unknown, path: string): void => {
    if (inner === null || inner === undefined) return
    const entries = typeof inner === 'object' ? Object.entries(inner) : []
    if (entries.length === 0 && path !== '') leaves.set(path, inner)
    for (const [name, one] of entries) visit(one, path === '' ? name : `${path}.${name}`)
  }
  visit(value, '')
  return leaves
}
