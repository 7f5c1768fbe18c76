import type { Progress } from '../../model/job.ts'
import { leaveContent, type Source } from './source/source.ts'
import { formatOf, type ImportFields } from './spec.ts'
import { decompressed } from './spool/decompress.ts'
import { withLastLineEnd } from './spool/last-line-end.ts'
import { type Spooling, startSpooling } from './spool/spooling.ts'
import { type TextFields, textContent } from './spool/text-content.ts'

type Input = {
  readonly source: Source
  readonly path: string
  readonly fields: Pick<ImportFields, 'format' | 'url' | 'compression'> & TextFields
  readonly maxBytes: number
  readonly signal: AbortSignal
  readonly progress: (progress: Progress) => void
}

export type Download = {
  readonly spooling: Spooling
  /** Bytes that have come. */
  readonly received: () => number
  /** Bytes of all of the content, decompressed; while it comes, as many as there will be if the rest is like what has come. null: nobody knows. */
  readonly contentBytes: () => number | null
  /** Tells no progress any more: from now on there is something else to tell. */
  readonly stopTelling: () => void
  /** Seconds until all is there, if it goes on as it did; null: nobody knows. */
  readonly secondsLeft: () => number | null
}

/** Begins to fetch content into a file, decompressed. It ends with `ImportFailure`, the reason of the signal or ENOSPC when it is not all there. */
export const startDownload = (input: Input): Download => {
  const { source, path, fields, maxBytes, signal, progress } = input
  const startedAt = performance.now()
  let received = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.content) {
      signal.throwIfAborted()
      received += chunk.length
      yield chunk
    }
  }
  const timer = setInterval(() => progress(progressOf(received, source.size())), EVERY_MS)
  const content = textContent(decompressed(counted(), { compression: fields.compression, maxBytes }), fields)
  const spooling = startSpooling(path, formatOf(fields) === 'csv' ? withLastLineEnd(content) : content)
  const stopTelling = (): void => clearInterval(timer)
  const end = (): void => {
    stopTelling()
    leaveContent(source.content)
  }
  spooling.whole().catch(ignore).finally(end)
  return {
    spooling,
    received: () => received,
    contentBytes: () => {
      const size = source.size()
      if (spooling.isWhole) return spooling.written
      return size === null || received === 0 ? null : (spooling.written / received) * size
    },
    stopTelling,
    secondsLeft: () => {
      const size = source.size()
      if (spooling.isWhole) return 0
      if (size === null || received === 0) return null
      return (((performance.now() - startedAt) / received) * (size - received)) / 1000
    },
  }
}

/** Told to whoever waits for the content. */
const ignore = (): void => {}

const EVERY_MS = 1000

const progressOf = (received: number, size: number | null): Progress => ({
  percentage: size === null || size === 0 ? null : Math.min(100, Math.floor((received / size) * 100)),
  message: `${mebibytes(received)}${size === null ? '' : ` of ${mebibytes(size)}`} MiB read`,
})

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toLocaleString('en', { maximumFractionDigits: 1 })
