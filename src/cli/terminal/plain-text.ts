import { stripVTControlCharacters } from 'node:util'

/**
 * Text of others as one line: it must neither move the cursor, colour what follows, give the window another title, nor break a row. Controls of 8 bits
 * (U+0080 to U+009F) are among what some terminals obey.
 */
export const oneLine = (text: string): string => stripVTControlCharacters(text).replace(/\p{Cc}+/gu, ' ')

/** The same of text that may have several lines. */
export const plainLines = (text: string): string => text.split(/\r?\n/).map(oneLine).join('\n')
