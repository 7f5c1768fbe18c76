/**
 * The text without the trailing characters that are in `characters`. A regular expression (`/[ \t]+$/`) would rescan each run from every position in
 * it: hours for a megabyte.
 */
export const withoutEnd = (text: string, characters: string): string => {
  let end = text.length
  while (end > 0 && characters.includes(text[end - 1]!)) end--
  return text.slice(0, end)
}
