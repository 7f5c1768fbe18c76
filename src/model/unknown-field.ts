import { closeNames } from '../kernel/close-names.ts'

/** The message for an unknown field, with the one that was probably meant: one of `known`, or one inside the fields of `within`, by their names. */
export const unknownField = (name: string, known: readonly string[], within: Within = {}): string => {
  const meant = name.length > LONGEST ? undefined : (likeOne(name, known) ?? likeOneWithin(name, within))
  return meant === undefined ? 'is not a known field' : `is not a known field; did you mean ${meant}?`
}

/** None of our fields is that long, but a user may send one as long as a body. */
const LONGEST = 100

type Within = Readonly<Record<string, readonly string[]>>

const likeOneWithin = (name: string, within: Within): string | undefined => {
  for (const [field, names] of Object.entries(within)) {
    const meant = likeOne(name, names)
    if (meant !== undefined) return `${field}.${meant}`
  }
  return undefined
}

const likeOne = (name: string, known: readonly string[]): string | undefined =>
  closeNames(name, known)[0] ?? known.find(one => beginsAlike(name, one))

/** `timeout` for `timeout_seconds`, `retries` for `retry`: not close enough for a typo, but the same word. */
const beginsAlike = (name: string, known: string): boolean => {
  const shorter = Math.min(name.length, known.length)
  let alike = 0
  while (alike < shorter && name[alike] === known[alike]) alike += 1
  return alike >= Math.max(3, shorter * 0.8)
}
