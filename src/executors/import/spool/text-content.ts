import type { ImportFields } from '../spec.ts'
import { skipLines } from './skip-lines.ts'
import { transcoded } from './transcode.ts'

/** UTF-8 is not transcoded, so that invalid bytes cost a row, not the import. */
const isUtf8 = (encoding: string): boolean => new TextDecoder(encoding).encoding === 'utf-8'

/** The fields that say how to read text. */
export type TextFields = Pick<ImportFields, 'encoding' | 'skip_lines'>

/** Decompressed content to read rows from: text as UTF-8, CSV without the lines to be skipped. Throws like `transcoded`. */
export const textContent = (content: AsyncIterable<Uint8Array>, fields: TextFields): AsyncIterable<Uint8Array> => {
  const { encoding = 'utf-8', skip_lines = 0 } = fields
  const text = isUtf8(encoding) ? content : transcoded(content, encoding)
  return skip_lines === 0 ? text : skipLines(text, skip_lines)
}
