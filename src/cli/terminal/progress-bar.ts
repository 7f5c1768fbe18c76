import { Transform } from 'node:stream'
import { sizeText } from './quantity-text.ts'

const WIDTH = 24
const REDRAW_MS = 100

/** A pass-through stream that draws its progress, on a terminal only. `total` is in bytes; null: unknown. */
export const progressBar = (stream: NodeJS.WriteStream, label: string, total: number | null): Transform => {
  let done = 0
  let drawnAt = Number.NEGATIVE_INFINITY
  const draw = (ending: string): void => {
    if (stream.isTTY) stream.write(`\r\x1b[K${progressLine({ label, done, total, columns: stream.columns })}${ending}`)
  }
  return new Transform({
    transform(chunk: Uint8Array, _encoding, next) {
      done += chunk.byteLength
      if (performance.now() - drawnAt > REDRAW_MS) {
        draw('')
        drawnAt = performance.now()
      }
      next(null, chunk)
    },
    flush(next) {
      draw('\n')
      next()
    },
  })
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
  const share = total === null ? null : total === 0 ? 1 : Math.min(1, done / total)
  const filled = share === null ? 0 : Math.round(share * WIDTH)
  const bar = share === null ? '' : `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${Math.floor(share * 100)}%  `
  return `${bar}${amount}  ${label}`.slice(0, Math.max(20, columns - 1))
}
