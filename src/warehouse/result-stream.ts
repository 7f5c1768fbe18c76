import { PassThrough, type Readable } from 'node:stream'
import { fromExceptionText, toWarehouseError } from './fault.ts'
import { WarehouseError } from './warehouse.ts'

/**
 * More than ClickHouse's longest exception in an answer that has begun (16 KiB and its frame). That much of the end is held
 * back until the answer is known to be whole: an exception is text after the rows, in whatever format they are.
 */
const HELD_BYTES = 32 * 1024

const BROKEN = 'The engine broke its answer off.'

type Input = {
  readonly stream: Readable
  /** Marks an exception, where the engine marks it (`X-ClickHouse-Exception-Tag`, since 25.11). */
  readonly exceptionTag: string | undefined
  readonly signal: AbortSignal
}

/** The rows of an answer, without an exception that ends them: it is thrown, as a broken connection is. */
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

/** A stream that breaks drops what nobody has read yet, and the exception with it. Through a pipe, all that came is read first. */
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
  // An error after that is of no interest, but must have somebody who hears it.
  stream.on('error', () => {})
  stream.pipe(content)
  return { content, fault: () => fault }
}

/** One byte, one character: positions stay, and what is searched for is ASCII. */
const toText = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString('latin1')

/** Where an exception stands at the end of an answer, it ended it, whether or not the connection broke as well. */
const findException = (tail: string, tag: string | undefined): WarehouseError | null => {
  const text = tag === undefined ? unmarkedException(tail) : markedException(tail, tag)
  if (text === null) return null
  return fromExceptionText(Buffer.from(text, 'latin1').toString('utf8')) ?? new WarehouseError('engine_lost', BROKEN)
}

/** Between `__exception__`, the tag and a line break, and a line of its length, the tag and `__exception__` again. */
const markedException = (tail: string, tag: string): string | null => {
  const opening = `__exception__\r\n${tag}\r\n`
  const start = tail.indexOf(opening)
  if (start === -1) return null
  const text = tail.slice(start + opening.length)
  const end = text.lastIndexOf(` ${tag}\r\n__exception__`)
  return text.slice(0, Math.max(0, text.lastIndexOf('\n', end === -1 ? undefined : end)))
}

/** As servers before 25.11 wrote it. No format of ours ends in such a line by itself: rows end in a quote, a bracket or a footer. */
const unmarkedException = (tail: string): string | null => {
  const text = tail.trimEnd()
  const start = text.lastIndexOf('Code: ')
  const isOne =
    text.endsWith(')') && start !== -1 && text.includes('. DB::Exception: ', start) && text.includes('(version ', start)
  return isOne ? text.slice(start) : null
}
