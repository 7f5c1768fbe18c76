import { closeNames } from '../kernel/close-names.ts'

/**
 * What is said of a field that is none, with the one that was probably meant, of those that there are, or of those within
 * them, by the field that they stand in.
 */
export const unknownField = (name: string, known: readonly string[], within: Within = {}): string => {
  const meant = name.length > LONGEST ? undefined : (likeOne(name, known) ?? likeOneWithin(name, within))
  return meant === undefined ? 'is not a known field' : `is not a known field; did you mean ${meant}?`
}

/** No field of ours is so long, and one that a user sends may be as long as a body. */
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

/** `timeout` for `timeout_seconds`, `retries` for `retry`: too far apart to be a slip, and yet the same word. */
const beginsAlike = (name: string, known: string): boolean => {
  const shorter = Math.min(name.length, known.length)
  let alike = 0
  while (alike < shorter && name[alike] === known[alike]) alike += 1
  return alike >= Math.max(3, shorter * 0.8)
}
