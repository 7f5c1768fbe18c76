import { readColumnType, tupleElements } from '../load/column-type.ts'

/** Values in lists, maps and structs that are to become texts. */
export type Leaf = {
  /** Matches their type, and quoted names, which begin with a backquote and are skipped. */
  readonly pattern: RegExp
  /** SQL: the text of a value of the type; NULL for NULL. */
  readonly write: (value: string, type: string) => string
}

/** Combines several kinds. */
export const anyLeaf = (leaves: readonly Leaf[]): Leaf => ({
  pattern: new RegExp(leaves.map(({ pattern }) => pattern.source).join('|'), 'g'),
  write: (value, type) => leaves.find(leaf => hasLeaves(leaf, type))!.write(value, type),
})

/** Replaces their type. */
export const replaceLeaves = ({ pattern }: Leaf, type: string, by: string): string =>
  type.replace(pattern, found => (found.startsWith('`') ? found : by))

export const hasLeaves = (leaf: Leaf, type: string): boolean => replaceLeaves(leaf, type, '') !== type

/** SQL: a value of the type, with them as texts. */
export const leafTexts = (leaf: Leaf, type: string, value: string, depth = 0): string => {
  if (!hasLeaves(leaf, type)) return value
  const { name, parts } = readColumnType(type)
  const [element, key] = [`d${depth}`, `k${depth}`]
  const inside = (part: string, of: string) => leafTexts(leaf, part, of, depth + 1)
  switch (name) {
    case 'Array':
      return `arrayMap(${element} -> ${inside(parts[0]!, element)}, ${value})`
    case 'Map':
      return `mapApply((${key}, ${element}) -> (${inside(parts[0]!, key)}, ${inside(parts[1]!, element)}), ${value})`
    case 'Tuple': {
      const elements = tupleElements(parts).map((part, index) =>
        inside(part.type, `tupleElement(${value}, ${index + 1})`),
      )
      return `CAST(tuple(${elements.join(', ')}) AS ${replaceLeaves(leaf, type, 'String')})`
    }
    default:
      return leaf.write(value, type)
  }
}
