import { stripVTControlCharacters } from 'node:util'

/**
 * Makes foreign text safe and puts it on one line: it must not move the cursor, set colours or the window title, or break a row. Some terminals also obey 8-bit
 * controls (U+0080 to U+009F).
 */
export const oneLine = (text: string): string => stripVTControlCharacters(text).replace(/\p{Cc}+/gu, ' ')

/** The same for text with several lines. */
export const plainLines = (text: string): string => text.split(/\r?\n/).map(oneLine).join('\n')
