import { type FileHandle, open } from 'node:fs/promises'

const BLOCK_BYTES = 1024 * 1024

/** Writes content to a new file, without its byte order mark, and reports each block written. Rejects like the content, and with ENOSPC. */
export const spoolContent = async (
  path: string,
  content: AsyncIterable<Uint8Array>,
  onWritten: (block: Buffer) => void = () => {},
): Promise<void> => {
  const file = await open(path, 'wx', 0o600)
  try {
    await writeBlocks(file, content, onWritten)
  } finally {
    await file.close()
  }
}

/** Two blocks take turns: one is filled while the other is written. */
const writeBlocks = async (
  file: FileHandle,
  content: AsyncIterable<Uint8Array>,
  onWritten: (block: Buffer) => void,
): Promise<void> => {
  const blocks = [Buffer.allocUnsafe(BLOCK_BYTES), Buffer.allocUnsafe(BLOCK_BYTES)] as const
  let turn: 0 | 1 = 0
  let filled = 0
  let isFirst = true
  let writing: Promise<void> = Promise.resolve()
  const flush = async (): Promise<void> => {
    await writing
    const block = blocks[turn].subarray(0, filled)
    const kept = isFirst ? withoutMark(block) : block
    isFirst = false
    writing = writeAll(file, kept).then(() => onWritten(kept))
    // Whoever awaits it next gets its error.
    writing.catch(() => {})
    filled = 0
    turn = turn === 0 ? 1 : 0
  }
  for await (const chunk of content) {
    for (let taken = 0; taken < chunk.length; ) {
      const piece = chunk.subarray(taken, taken + BLOCK_BYTES - filled)
      blocks[turn].set(piece, filled)
      filled += piece.length
      taken += piece.length
      if (filled === BLOCK_BYTES) await flush()
    }
  }
  if (filled > 0) await flush()
  await writing
}

/** Drops UTF-8's byte order mark, which engines read as part of the first value. */
export const withoutMark = (block: Buffer): Buffer =>
  block.length >= 3 && block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf ? block.subarray(3) : block

/** A write may be short, especially on a disk that fills up. */
const writeAll = async (file: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done)
    done += bytesWritten
  }
}
