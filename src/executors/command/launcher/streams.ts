import { closeSync, constants, openSync } from 'node:fs'

/** Opens what a command reads and writes. Throws with the system's code. */
export const openStreams = (paths: { stdin: string | null; stdout: string; stderr: string }): Streams => {
  const open: number[] = []
  try {
    open.push(openSync(paths.stdin ?? '/dev/null', 'r'))
    open.push(openForWriting(paths.stdout))
    open.push(openForWriting(paths.stderr))
    return { stdio: open as unknown as Streams['stdio'], close: () => closeAll(open) }
  } catch (error) {
    closeAll(open)
    throw error
  }
}

type Streams = { readonly stdio: readonly [number, number, number]; readonly close: () => void }

/**
 * Opening a FIFO to write waits for a reader, and would wait for ever if the server has died in between. Opening it for both
 * never waits and makes a reader for the moment in which the write end is opened.
 */
const openForWriting = (path: string): number => {
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  try {
    return openSync(path, constants.O_WRONLY)
  } finally {
    closeSync(both)
  }
}

const closeAll = (descriptors: readonly number[]): void => {
  for (const descriptor of descriptors) closeSync(descriptor)
}
