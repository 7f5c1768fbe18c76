/**
 * The text without those of these characters that it ends with. A regular expression (`/[ \t]+$/`) would look at each run of them from every place in it:
 * of a megabyte that is hours.
 */
export const withoutEnd = (text: string, characters: string): string => {
  let end = text.length
  while (end > 0 && characters.includes(text[end - 1]!)) end--
  return text.slice(0, end)
}
