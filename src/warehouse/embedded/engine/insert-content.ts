import { closeSync, rmSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { quoteText } from '../../quote-text.ts'
import { refuseLostWrites } from './counters.ts'
import { PIPE_BYTES } from './fifos.ts'
import type { StatementRequest } from './request.ts'
import { replaceInCode } from './scan-sql.ts'
import { type StatementInput, toSummary } from './task.ts'

/**
 * An INSERT whose rows are the request body. chDB reads them as a file, with all its threads: small content from a real file, the rest from a FIFO, so that it
 * is never held in memory.
 */
export const insertContent = async (input: StatementInput): Promise<void> => {
  const parts = input.request.content!.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>
  const head = await readHead(parts)
  const result = await (head.whole ? insertFile(input, head.parts) : insertFifo(input, head.parts, parts))
  refuseLostWrites(await input.counts.end())
  await input.answer.end({ ...toSummary(input, result), writtenRows: result.rowsRead, writtenBytes: result.bytesRead })
}

/**
 * Reads more than fits into a FIFO, or everything. Once more than that has been written, chDB must have opened the FIFO, so the write end may be closed. If it
 * is closed earlier, chDB waits forever for a writer.
 */
const readHead = async (
  parts: AsyncIterator<Uint8Array>,
): Promise<{ parts: readonly Uint8Array[]; whole: boolean }> => {
  const head: Uint8Array[] = []
  for (let bytes = 0; bytes <= PIPE_BYTES; ) {
    const next = await parts.next()
    if (next.done === true) return { parts: head, whole: true }
    head.push(next.value)
    bytes += next.value.length
  }
  return { parts: head, whole: false }
}

const insertFile = async ({ engine, request, session }: StatementInput, parts: readonly Uint8Array[]) => {
  const path = join(engine.spoolPath, `${engine.nextFile()}.in`)
  try {
    writeFileSync(path, Buffer.concat(parts), { mode: 0o600 })
    return await session.queryAsync(fromFile(request, path), { format: 'Null' })
  } finally {
    rmSync(path, { force: true })
  }
}

const insertFifo = async (input: StatementInput, head: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>) => {
  const { engine, request, session } = input
  const fifo = engine.fifos.take()
  const hold = fifo.openForReading()
  const target = new Socket({ fd: fifo.openForWriting(), readable: false, writable: true })
  const closed = new Promise(resolve => target.once('close', resolve))
  const done = session.queryAsync(fromFile(request, fifo.path), { format: 'Null' })
  try {
    const failed = done.then(() => false)
    await Promise.race([feed({ head, rest, target }).catch(error => breakOff(input, error)), failed])
    return await done
  } finally {
    target.destroy()
    await Promise.allSettled([done, closed])
    closeSync(hold)
    fifo.release()
  }
}

const feed = async (input: {
  head: readonly Uint8Array[]
  rest: AsyncIterator<Uint8Array>
  target: Socket
}): Promise<void> => {
  const { head, rest, target } = input
  for (const part of head) await write(target, part)
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    if (target.destroyed) return
    await write(target, next.value)
  }
  target.end()
}

const write = async (target: Socket, part: Uint8Array): Promise<void> => {
  if (target.write(part)) return
  await new Promise<void>(resolve => {
    const proceed = () => {
      target.off('drain', proceed).off('close', proceed)
      resolve()
    }
    target.on('drain', proceed).on('close', proceed)
  })
}

/** chDB takes the end of the FIFO for the end of the rows. When the body breaks off, the statement must be killed before the FIFO is closed. */
const breakOff = async ({ engine, request }: StatementInput, error: unknown): Promise<never> => {
  await engine.running.kill(request.queryId)
  throw error
}

const fromFile = (request: StatementRequest, path: string): string => {
  const { text, format } = request.scanned
  const name = format ?? request.defaultFormat
  const read = replaceInCode(text, /\binput\s*\(/gi, `file(${quoteText(path)}, ${quoteText(name)}, `)
  return read === text ? `${text} FROM INFILE ${quoteText(path)} FORMAT ${name}` : read
}
