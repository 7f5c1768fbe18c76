import { type HostFailure, MOST_RESULT_BYTES } from '../host-protocol.ts'

/** What a function returned as JSON, or why it is none. Nothing returned is `null`. */
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
    // Undefined for functions and symbols, whatever its type says.
    const text = JSON.stringify(value) as string | undefined
    return text ?? unreadable(`a ${typeof value} cannot be written as JSON`)
  } catch (error) {
    return unreadable(firstLine(error))
  }
}

/** A cycle's message goes on with a drawing of it. */
const firstLine = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n')[0]!
}

const unreadable = (why: string): HostFailure => ({
  reason: 'result_unreadable',
  message: `What the function returned is not JSON: ${why}.`,
})
