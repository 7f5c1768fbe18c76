/** SQL that converts a text to a column's value, and tells what does not fit. */
export type Judgement = {
  /** Of the column's type, or NULL; anything if the row is bad. */
  readonly value: string
  /** 1 if the row is bad; never NULL. */
  readonly isBad: string
  /** A text that says why. */
  readonly complaint: string
  /** What the others refer to, for a WITH before the statement: `… AS name`. */
  readonly shared: readonly string[]
}
