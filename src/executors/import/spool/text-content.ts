import { ImportFailure } from '../import-failure.ts'
import { formatOf, type ImportFields } from '../spec.ts'
import { jsonRows } from './json-rows.ts'
import { otherContent } from './other-content.ts'
import { peek } from './peek.ts'
import { skipLines } from './skip-lines.ts'
import { transcoded } from './transcode.ts'

/** UTF-8 is not transcoded, so that invalid bytes cost a row, not the import. */
const isUtf8 = (encoding: string): boolean => new TextDecoder(encoding).encoding === 'utf-8'

/** The fields that say how to read text. */
export type TextFields = Pick<ImportFields, 'format' | 'url' | 'encoding' | 'skip_lines'>

/**
 * Decompressed content to read rows from: text as UTF-8, CSV without the lines to be skipped, JSON with a row a line. Throws like `transcoded` and `jsonRows`,
 * and `ImportFailure` `content_unreadable` for what has no lines to skip.
 */
export const textContent = (content: AsyncIterable<Uint8Array>, fields: TextFields): AsyncIterable<Uint8Array> => {
  const { encoding = 'utf-8', skip_lines = 0 } = fields
  const text = isUtf8(encoding) ? content : transcoded(content, encoding)
  if (formatOf(fields) === 'ndjson') return jsonRows(text)
  return skip_lines === 0 ? text : skipLines(textAlone(text), skip_lines)
}

/** Enough for the signatures of other formats. */
const LOOK_BYTES = 4096

/** Behind the first lines nothing shows any more that it is an archive or a page. */
async function* textAlone(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, whole } = await peek(content, LOOK_BYTES)
  const fault = otherContent(head, () => true)
  if (fault !== null) throw new ImportFailure('content_unreadable', fault)
  yield* whole
}
