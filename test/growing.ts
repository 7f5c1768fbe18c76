import { open } from 'node:fs/promises'
import { GrowingFile } from '../src/kernel/growing-file.ts'

/** A file that its own writer fills with that content, until it is stopped. The writer has opened it when this resolves. */
export const startGrowing = async (path: string, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => {
  const state = { left: false }
  const handle = await open(path, 'wx+', 0o600)
  const writer = await open(path, 'a')
  const write = async (): Promise<void> => {
    try {
      for await (const chunk of content) {
        if (state.left) return
        await writer.write(chunk)
      }
    } finally {
      await writer.close()
    }
  }
  const written = write()
  written.catch(() => {})
  const leave = (): void => {
    state.left = true
  }
  return { state, written, file: new GrowingFile({ path, handle, written, leave }) }
}
