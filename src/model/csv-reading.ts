/** How CSV was read, where nobody had to say it. */
export type CsvReading = {
  readonly delimiter: string
  /** Whether its first line has names. */
  readonly header: boolean
}

/** In words, for people. */
export const csvReadingText = ({ delimiter, header }: CsvReading): string =>
  `CSV by ${shownDelimiter(delimiter)}, ${header ? 'with names in its first line' : 'without names in its first line'}`

/** What values are parted by, in words. */
export const shownDelimiter = (delimiter: string): string => {
  if (delimiter === '\t') return 'tabs'
  return delimiter === ' ' ? 'blanks' : `"${delimiter}"`
}
