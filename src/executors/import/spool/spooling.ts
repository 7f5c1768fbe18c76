import { spoolContent } from './spool-content.ts'
import { createUtf8Check } from './utf8-check.ts'

/** Content being written to a file, which may already be read as far as it is. */
export interface Spooling {
  readonly path: string
  /** Bytes in the file. */
  readonly written: number
  /** All of the content is in the file. */
  readonly isWhole: boolean
  /** Resolves when the file has more than this many bytes, or all. Rejects with what ended the content. */
  beyond(bytes: number): Promise<void>
  /** Resolves when all is there. */
  whole(): Promise<void>
  /** Whether what is there so far is UTF-8. */
  isUtf8(): boolean
}

/** Starts at once. The file must not exist. */
export const startSpooling = (path: string, content: AsyncIterable<Uint8Array>): Spooling => {
  let written = 0
  let isWhole = false
  let more = Promise.withResolvers<void>()
  const wake = (): void => {
    more.resolve()
    more = Promise.withResolvers<void>()
  }
  const utf8 = createUtf8Check()
  const end = spoolContent(path, content, block => {
    written += block.length
    utf8.take(block)
    wake()
  }).then(() => {
    isWhole = true
  })
  let hasFailed = false
  end
    .catch(() => {
      hasFailed = true
    })
    .finally(wake)
  return {
    path,
    get written() {
      return written
    },
    get isWhole() {
      return isWhole
    },
    beyond: async bytes => {
      // `Promise.race` would attach another reaction to `end` for each block.
      while (written <= bytes && !isWhole) await (hasFailed ? end : more.promise)
    },
    whole: () => end,
    isUtf8: () => utf8.isRight({ isWhole }),
  }
}
