import { closeSync, constants, openSync } from 'node:fs'

/** The open streams of a command. */
export type Streams = { readonly stdio: readonly [number, number, number]; readonly close: () => void }

/** Opens the streams of commands. Shared files are opened only once. */
export interface StreamOpener {
  /** Throws the system's error. */
  open(paths: { readonly stdin: string | null; readonly stdout: string; readonly stderr: string }): Streams
}

export const createStreamOpener = (): StreamOpener => {
  const nothing = openSync('/dev/null', constants.O_RDONLY)
  const readers = new Map<string, number>()

  /**
   * Opening a FIFO for writing blocks until there is a reader, and would block forever if the server had died in between. So this process also opens each as
   * a reader, but never reads. FIFOs are reused, and so are these readers.
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
