import { arrayLiteral, type Value } from '../array-literal.ts'

/** A column of a batch that a statement takes as a table. */
export type Column<Item> = { readonly name: string; readonly type: string; readonly of: (item: Item) => Value }

/**
 * Two parameters a column, from `$first` on: its values as an array, or the one value that all have. Batches mostly agree
 * in all but a few columns, and an array costs PostgreSQL as much for each element as an index entry does.
 * The first column is always an array: it says how many rows there are.
 */
export const batchValues = <Item>(columns: readonly Column<Item>[], items: readonly Item[]): Value[] =>
  columns.flatMap((column, index) => {
    const first = column.of(items[0]!)
    const isShared = index > 0 && items.every(item => column.of(item) === first)
    return isShared ? [null, first] : [arrayLiteral(items, column.of), null]
  })

/** The table that `batchValues` fills, with `position` counting from 1. */
export const batchTable = <Item>(columns: readonly Column<Item>[], first: number): string => `(
      SELECT ${columns.map(({ name, type }, index) => `coalesce(b.${name}, $${first + 2 * index + 1}::${type}) AS ${name}`).join(', ')},
        b.position
      FROM unnest(${columns.map(({ type }, index) => `$${first + 2 * index}::${type}[]`).join(', ')})
        WITH ORDINALITY AS b (${columns.map(({ name }) => name).join(', ')}, position)
    )`
