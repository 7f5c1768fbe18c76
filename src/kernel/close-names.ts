/** Up to three names the user may have meant, closest first. */
export const closeNames = (wanted: string, names: readonly string[]): readonly string[] => {
  // A name from a request can be as long as the request body.
  if (wanted.length > LONGEST) return []
  return (
    names
      // The distance is at least the difference in length, so this cheap test comes first.
      .filter(name => lengthGap(wanted, name) <= farthest(name) || isSameFile(wanted, name))
      .map(name => ({ name, distance: distanceOf(wanted.toLowerCase(), name.toLowerCase()) }))
      .filter(({ name, distance }) => distance <= farthest(name) || isSameFile(wanted, name))
      .sort((a, b) => a.distance - b.distance || lengthGap(wanted, a.name) - lengthGap(wanted, b.name))
      .slice(0, 3)
      .map(({ name }) => name)
  )
}

/** Longest name, in characters, worth comparing. */
const LONGEST = 1_000

const farthest = (name: string): number => Math.max(2, Math.floor(name.length / 4))

const lengthGap = (wanted: string, name: string): number => Math.abs(wanted.length - name.length)

/** The same file name in another folder. */
const isSameFile = (wanted: string, name: string): boolean => wanted.split('/').at(-1) === name.split('/').at(-1)

/** Levenshtein distance: number of characters inserted, deleted or replaced. */
const distanceOf = (a: string, b: string): number => {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1))
    }
    above = current
  }
  return above[b.length]!
}
