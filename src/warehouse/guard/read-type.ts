/** A parsed ClickHouse type. */
export type TypeTree = {
  /** As written, with surrounding space, but without the element name that it has in a tuple. */
  readonly text: string
  /** `Array`; empty if the type has another form. Nullable and LowCardinality are replaced by the type inside them. */
  readonly name: string
  /** The types in its parentheses. */
  readonly parts: readonly TypeTree[]
  readonly nullable: boolean
}

/** An unclosed quote extends to the end. */
const TOKEN = /'[^'\\]*(?:\\[\s\S][^'\\]*)*(?:'|\\?$)|`[^`\\]*(?:\\[\s\S][^`\\]*)*(?:`|\\?$)|[(),]/g

type Begun = {
  readonly start: number
  readonly isInTuple: boolean
  /** Index of its first parenthesis. */
  open: number | null
  readonly parts: TypeTree[]
}

/** Parses in one pass, however deeply the type is nested. */
export const readType = (type: string): TypeTree => {
  const path: Begun[] = []
  const begin = (start: number, isInTuple: boolean): void => void path.push({ start, isInTuple, open: null, parts: [] })
  /** Closes the innermost type and adds it to the parts of the one around it. */
  const end = (at: number): TypeTree => {
    const begun = path.pop()!
    const tree = treeOf(type.slice(begun.start, at), begun)
    path.at(-1)?.parts.push(tree)
    return tree
  }
  begin(0, false)
  for (const { 0: token, index } of type.matchAll(TOKEN)) {
    const innermost = path.at(-1)!
    if (token === '(') {
      const isTuple = innermost.open === null && IS_TUPLE.test(type.slice(innermost.start, index))
      innermost.open ??= index
      begin(index + 1, isTuple)
    } else if (path.length > 1 && (token === ')' || token === ',')) {
      end(index)
      if (token === ',') begin(index + 1, innermost.isInTuple)
    }
  }
  while (path.length > 1) end(type.length)
  return end(type.length)
}

const IS_TUPLE = /(?<!\w)Tuple\s*$/

const treeOf = (written: string, { start, isInTuple, open, parts }: Begun): TypeTree => {
  const head = open === null ? written : written.slice(0, open - start)
  const [, before = '', name = ''] = (isInTuple ? ELEMENT : PLAIN).exec(head) ?? []
  const text = written.slice(before.length)
  const [only] = parts
  if ((name === 'Nullable' || name === 'LowCardinality') && only !== undefined)
    return { text, name: only.name, parts: only.parts, nullable: name === 'Nullable' || only.nullable }
  return { text, name, parts, nullable: false }
}

const PLAIN = /^(\s*)(\w+)\s*$/

/** An element name, then a type name. */
const ELEMENT = /^(\s*(?:(?:`(?:[^`\\]|\\.)*`|\w+)\s+)?)(\w+)\s*$/
