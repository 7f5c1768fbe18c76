import { arrayLiteral, storable, type Value } from '../array-literal.ts'

/** A column of a batch that a statement reads as a table. */
export type Column<Item> = { readonly name: string; readonly type: string; readonly of: (item: Item) => Value }

/**
 * Two parameters per column, from `$first` on: its values as an array, or the one value shared by all. Batches mostly agree in all but a few columns,
 * and an array costs PostgreSQL as much per element as an index entry. The first column is always an array: its length is the number of rows.
 */
export const batchValues = <Item>(columns: readonly Column<Item>[], items: readonly Item[]): Value[] =>
  columns.flatMap((column, index) => {
    const first = column.of(items[0]!)
    const isShared = index > 0 && items.every(item => column.of(item) === first)
    if (isShared) return [null, typeof first === 'string' ? storable(first) : first]
    return [arrayLiteral(items, column.of), null]
  })

/** The table for the parameters of `batchValues`, with `position` counting from 1. */
export const batchTable = <Item>(columns: readonly Column<Item>[], first: number): string => `(
      SELECT ${columns.map(({ name, type }, index) => `coalesce(b.${name}, $${first + 2 * index + 1}::${type}) AS ${name}`).join(', ')},
        b.position
      FROM unnest(${columns.map(({ type }, index) => `$${first + 2 * index}::${type}[]`).join(', ')})
        WITH ORDINALITY AS b (${columns.map(({ name }) => name).join(', ')}, position)
    )`
