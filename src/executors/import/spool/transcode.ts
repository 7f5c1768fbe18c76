import { ImportFailure } from '../import-failure.ts'
import { peek } from './peek.ts'

/**
 * What is wrong with an encoding's label, as words that follow the field's name; null: nothing. Labels are those of the Encoding Standard (WHATWG), in any
 * case.
 */
export const encodingFault = (label: string): string | null => {
  try {
    new TextDecoder(label)
    return null
  } catch {
    return 'must be an encoding of the web such as windows-1252, utf-16le or shift_jis'
  }
}

/**
 * Text in another encoding as UTF-8, without its byte order mark. A mark at the beginning says more than the label (Encoding Standard, "decode"). Throws
 * `ImportFailure` `content_unreadable` for bytes that are invalid in the encoding.
 */
export async function* transcoded(content: AsyncIterable<Uint8Array>, label: string): AsyncGenerator<Uint8Array> {
  const { head, whole } = await peek(content, LONGEST_MARK)
  const decoder = new TextDecoder(markOf(head) ?? label, { fatal: true })
  let read = 0
  const decode = (chunk?: Uint8Array): Uint8Array => {
    try {
      return Buffer.from(chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true }))
    } catch {
      throw new ImportFailure(
        'content_unreadable',
        `The content is not ${decoder.encoding}: some bytes behind the first ${read} are no characters of it.`,
      )
    }
  }
  for await (const chunk of whole) {
    yield decode(chunk)
    read += chunk.length
  }
  yield decode()
}

const LONGEST_MARK = 3

const markOf = (head: Uint8Array): string | null => {
  const [first, second, third] = head
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xef && second === 0xbb && third === 0xbf ? 'utf-8' : null
}
