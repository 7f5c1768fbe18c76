import { closeSync, constants, openSync } from 'node:fs'

/** What a command reads and writes, open. */
export type Streams = { readonly stdio: readonly [number, number, number]; readonly close: () => void }

/** Opens the streams of commands; what many commands share is opened once. */
export interface StreamOpener {
  /** Throws with the system's code. */
  open(paths: { readonly stdin: string | null; readonly stdout: string; readonly stderr: string }): Streams
}

export const createStreamOpener = (): StreamOpener => {
  const nothing = openSync('/dev/null', constants.O_RDONLY)
  const readers = new Map<string, number>()

  /**
   * Opening a FIFO to write waits for a reader, and would wait for ever if the server has died in between: so this process
   * is a reader of each, too, that never reads. FIFOs are used again, and their readers with them.
   */
  const openForWriting = (path: string): number => {
    if (!readers.has(path)) readers.set(path, openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
    return openSync(path, constants.O_WRONLY)
  }

  return {
    open({ stdin, stdout, stderr }) {
      const opened: number[] = []
      const keep = (descriptor: number): number => {
        opened.push(descriptor)
        return descriptor
      }
      const close = (): void => {
        for (const descriptor of opened) closeSync(descriptor)
      }
      try {
        const input = stdin === null ? nothing : keep(openSync(stdin, constants.O_RDONLY))
        return { stdio: [input, keep(openForWriting(stdout)), keep(openForWriting(stderr))], close }
      } catch (error) {
        close()
        throw error
      }
    },
  }
}
