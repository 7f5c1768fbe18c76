/** SQL that makes a value of a column out of a text, and tells what does not fit. */
export type Judgement = {
  /** Of the column's type, or NULL; anything where the row cannot be taken. */
  readonly value: string
  /** 1 where the row cannot be taken; never NULL. */
  readonly isBad: string
  /** What is told of it, a text. */
  readonly complaint: string
  /** What a WITH before the statement has to say, where these refer to it: `… AS name`. */
  readonly shared: readonly string[]
}
