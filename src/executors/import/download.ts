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
  /** Bytes received so far. */
  readonly received: () => number
  /** Bytes of the whole content, decompressed. During the download an estimate, as if the rest were like what has arrived. null: unknown. */
  readonly contentBytes: () => number | null
  /** Stops reporting progress, because something else will. */
  readonly stopTelling: () => void
  /** Seconds until the download is complete, at its rate so far. null: unknown. */
  readonly secondsLeft: () => number | null
}

/** Starts to fetch content into a file, decompressed. If it cannot get all of it, it rejects with `ImportFailure`, the reason of the signal or ENOSPC. */
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

/** Whoever waits for the content gets the error. */
const ignore = (): void => {}

const EVERY_MS = 1000

const progressOf = (received: number, size: number | null): Progress => ({
  percentage: size === null || size === 0 ? null : Math.min(100, Math.floor((received / size) * 100)),
  message: `${mebibytes(received)}${size === null ? '' : ` of ${mebibytes(size)}`} MiB read`,
})

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toLocaleString('en', { maximumFractionDigits: 1 })
