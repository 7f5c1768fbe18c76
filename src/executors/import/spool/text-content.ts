import type { ImportFields } from '../spec.ts'
import { skipLines } from './skip-lines.ts'
import { transcoded } from './transcode.ts'

/** Of which single bytes that are no UTF-8 cost a row, not the import. */
const isUtf8 = (encoding: string): boolean => new TextDecoder(encoding).encoding === 'utf-8'

/** What says which text content is. */
export type TextFields = Pick<ImportFields, 'encoding' | 'skip_lines'>

/** Decompressed content as its rows are read: text as UTF-8, CSV without the lines that are to be skipped. Throws as `transcoded`. */
export const textContent = (content: AsyncIterable<Uint8Array>, fields: TextFields): AsyncIterable<Uint8Array> => {
  const { encoding = 'utf-8', skip_lines = 0 } = fields
  const text = isUtf8(encoding) ? content : transcoded(content, encoding)
  return skip_lines === 0 ? text : skipLines(text, skip_lines)
}
