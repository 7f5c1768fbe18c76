import { PassThrough, type Readable } from 'node:stream'
import { fromExceptionText, toWarehouseError } from './fault.ts'
import { WarehouseError } from './warehouse.ts'

/**
 * More than ClickHouse's longest exception in mid-stream (16 KiB and its frame). This much of the end is held back until the answer is known to be complete: an
 * exception is text after the rows, in every format.
 */
const HELD_BYTES = 32 * 1024

const BROKEN = 'The engine broke its answer off.'

type Input = {
  readonly stream: Readable
  /** Marks an exception, if the engine supports that (`X-ClickHouse-Exception-Tag`, since 25.11). */
  readonly exceptionTag: string | undefined
  readonly signal: AbortSignal
}

/** The rows of an answer. An exception after them is thrown, and so is a broken connection. */
export async function* readResult({ stream, exceptionTag, signal }: Input): AsyncGenerator<Uint8Array> {
  const { content, fault } = untilBreak(stream)
  const held: Uint8Array[] = []
  let heldBytes = 0
  try {
    for await (const chunk of content) {
      held.push(chunk)
      heldBytes += chunk.length
      while (heldBytes - held[0]!.length >= HELD_BYTES) {
        const first = held.shift()!
        heldBytes -= first.length
        yield first
      }
    }
    const tail = toText(held)
    const broken = fault()
    if (signal.aborted) throw toWarehouseError(broken ?? new Error(BROKEN), { isAborted: true })
    const exception = findException(tail, exceptionTag)
    if (exception !== null) throw exception
    if (broken !== null) throw toWarehouseError(broken)
    yield* held
  } finally {
    stream.destroy()
  }
}

/** A stream that breaks drops its unread content, including the exception. Piping it first keeps all that has arrived. */
const untilBreak = (stream: Readable): { content: AsyncIterable<Uint8Array>; fault: () => Error | null } => {
  const content = new PassThrough()
  let fault: Error | null = null
  const end = (error: Error): void => {
    fault ??= error
    content.end()
  }
  stream.once('error', end)
  stream.once('close', () => {
    if (!stream.readableEnded) end(new Error(BROKEN))
  })
  // Later errors do not matter, but without a listener they would crash the process.
  stream.on('error', () => {})
  stream.pipe(content)
  return { content, fault: () => fault }
}

/** One character per byte keeps positions, and the search patterns are ASCII. */
const toText = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString('latin1')

/** An exception at the end of an answer caused its end, even if the connection broke, too. */
const findException = (tail: string, tag: string | undefined): WarehouseError | null => {
  const text = tag === undefined ? unmarkedException(tail) : markedException(tail, tag)
  if (text === null) return null
  return fromExceptionText(Buffer.from(text, 'latin1').toString('utf8')) ?? new WarehouseError('engine_lost', BROKEN)
}

/** Extracts the text between `__exception__`, the tag and a line break, and the final line with its length, the tag and `__exception__`. */
const markedException = (tail: string, tag: string): string | null => {
  const opening = `__exception__\r\n${tag}\r\n`
  const start = tail.indexOf(opening)
  if (start === -1) return null
  const text = tail.slice(start + opening.length)
  const end = text.lastIndexOf(` ${tag}\r\n__exception__`)
  return text.slice(0, Math.max(0, text.lastIndexOf('\n', end === -1 ? undefined : end)))
}

/** The form used by servers before 25.11. Rows never end in such a line in our formats: they end in a quote, a bracket or a footer. */
const unmarkedException = (tail: string): string | null => {
  const text = tail.trimEnd()
  const start = text.lastIndexOf('Code: ')
  const isOne =
    text.endsWith(')') && start !== -1 && text.includes('. DB::Exception: ', start) && text.includes('(version ', start)
  return isOne ? text.slice(start) : null
}
