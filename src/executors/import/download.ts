import type { Progress } from '../../model/job.ts'
import type { Source } from './source/source.ts'
import type { Compression } from './spec.ts'
import { decompressed } from './spool/decompress.ts'
import { spoolContent } from './spool/spool-content.ts'

type Input = {
  readonly source: Source
  readonly path: string
  readonly compression: Compression | undefined
  readonly maxBytes: number
  readonly signal: AbortSignal
  readonly progress: (progress: Progress) => void
}

/** Fetches content into a file, decompressed. Gives how many bytes came. Throws `ImportFailure`, the reason of the signal, ENOSPC. */
export const download = async (input: Input): Promise<number> => {
  const { source, path, compression, maxBytes, signal, progress } = input
  let received = 0
  const tell = (): void => progress(progressOf(received, source.size()))
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.content) {
      signal.throwIfAborted()
      received += chunk.length
      yield chunk
    }
  }
  const timer = setInterval(tell, EVERY_MS)
  try {
    await spoolContent(path, decompressed(counted(), { compression, maxBytes }))
    return received
  } finally {
    clearInterval(timer)
  }
}

const EVERY_MS = 1000

const progressOf = (received: number, size: number | null): Progress => ({
  percentage: size === null || size === 0 ? null : Math.min(100, Math.floor((received / size) * 100)),
  message: `${mebibytes(received)}${size === null ? '' : ` of ${mebibytes(size)}`} MiB read`,
})

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toLocaleString('en', { maximumFractionDigits: 1 })
