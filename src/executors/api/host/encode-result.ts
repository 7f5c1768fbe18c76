import { type HostFailure, MOST_RESULT_BYTES } from '../host-protocol.ts'

/** Encodes a function's return value as JSON, or says why it cannot. `undefined` becomes `null`. */
export const encodeResult = (value: unknown): Buffer | HostFailure => {
  const text = toText(value)
  if (typeof text !== 'string') return text
  const bytes = Buffer.from(text)
  if (bytes.length <= MOST_RESULT_BYTES) return bytes
  const message = `The function returned ${bytes.length} bytes of JSON; at most ${MOST_RESULT_BYTES} are kept.`
  return { reason: 'result_too_large', message }
}

const toText = (value: unknown): string | HostFailure => {
  if (value === undefined) return 'null'
  try {
    // Undefined for functions and symbols, despite its declared type.
    const text = JSON.stringify(value) as string | undefined
    return (
      text?.replace(SURROGATE_ESCAPES, replaceHalf) ??
      unreadable(`${typeof value === 'object' ? 'an' : 'a'} ${typeof value} cannot be written as JSON`)
    )
  } catch (error) {
    return unreadable(firstLine(error))
  }
}

/** Also matches escaped backslashes and whole pairs, so that `replaceHalf` can leave them unchanged. */
const SURROGATE_ESCAPES =
  /\\\\|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}/g

/** Half a surrogate pair, for example of text cut within an emoji, is no character: strict parsers would reject the whole result. */
const replaceHalf = (found: string): string => (found.length === 6 ? '\\ufffd' : found)

/** The first line, because the error message for a cycle continues with a drawing of it. */
const firstLine = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n')[0]!
}

const unreadable = (why: string): HostFailure => ({
  reason: 'result_unreadable',
  message: `What the function returned is not JSON: ${why}.`,
})
