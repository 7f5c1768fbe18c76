/** SQL that converts a text to a column's value, and tells what does not fit. */
export type Judgement = {
  /** Of the column's type, or NULL; anything if the row is bad. */
  readonly value: string
  /** 1 if the row is bad; never NULL. */
  readonly isBad: string
  /** If the row is bad, the index of the complaint, from 1; anything else otherwise. */
  readonly fault: string
  readonly complaints: readonly string[]
  /** What the others refer to, for a WITH before the statement: `… AS name`. */
  readonly shared: readonly string[]
}
