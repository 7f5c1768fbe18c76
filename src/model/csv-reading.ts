/** How CSV was read when the caller did not say. */
export type CsvReading = {
  readonly delimiter: string
  /** Whether its first line contains names. */
  readonly header: boolean
}

/** In words, for people. */
export const csvReadingText = ({ delimiter, header }: CsvReading): string =>
  `CSV separated by ${shownDelimiter(delimiter)}, ${header ? 'with' : 'without'} a header`

/** The delimiter in words. */
export const shownDelimiter = (delimiter: string): string => {
  if (delimiter === '\t') return 'tabs'
  return delimiter === ' ' ? 'blanks' : `"${delimiter}"`
}
