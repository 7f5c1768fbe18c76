import { closeNames } from '../kernel/close-names.ts'

/** What is said of a field that is none, with the one that was probably meant, of those that there are. */
export const unknownField = (name: string, known: readonly string[]): string => {
  const meant = closeNames(name, known)[0] ?? known.find(one => beginsAlike(name, one))
  return meant === undefined ? 'is not a known field' : `is not a known field; did you mean ${meant}?`
}

/** `timeout` for `timeout_seconds`, `retries` for `retry`: too far apart to be a slip, and yet the same word. */
const beginsAlike = (name: string, known: string): boolean => {
  const shorter = Math.min(name.length, known.length)
  let alike = 0
  while (alike < shorter && name[alike] === known[alike]) alike += 1
  return alike >= Math.max(3, shorter * 0.8)
}
