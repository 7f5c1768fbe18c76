import { bar, CLEAR_LINE, cutLine } from './bar.ts'
import { oneLine } from './plain-text.ts'
import { sizeText } from './quantity-text.ts'

const REDRAW_MS = 100

/** Passes bytes on and draws how many there have been, on a terminal only. `total` is in bytes; null: unknown. */
export const progressBar = (stream: NodeJS.WriteStream, label: string, total: number | null) =>
  async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let done = 0
    let drawnAt = Number.NEGATIVE_INFINITY
    const draw = (ending: string): void => {
      if (!stream.isTTY) return
      stream.write(`${CLEAR_LINE}${progressLine({ label, done, total, columns: stream.columns || 80 })}${ending}`)
    }
    try {
      for await (const chunk of source) {
        done += chunk.byteLength
        if (performance.now() - drawnAt > REDRAW_MS) {
          draw('')
          drawnAt = performance.now()
        }
        yield chunk
      }
    } finally {
      // Also after a failure, whose message starts a line of its own.
      if (done > 0) draw('\n')
    }
  }

type Progress = {
  readonly label: string
  readonly done: number
  readonly total: number | null
  readonly columns: number
}

/** One line, never wider than `columns`: a bar with a percentage if the total is known, otherwise only the amount. */
export const progressLine = ({ label, done, total, columns }: Progress): string => {
  const amount = total === null ? sizeText(done) : `${sizeText(done)} of ${sizeText(total)}`
  const part = total === null ? '' : `${bar(total === 0 ? 100 : Math.min(100, Math.floor((done / total) * 100)))}  `
  return cutLine(`${part}${amount}  ${oneLine(label)}`, columns)
}
