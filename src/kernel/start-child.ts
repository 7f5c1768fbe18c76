import { type ChildProcessByStdio, type SpawnOptionsWithoutStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

export type PipedChild = ChildProcessByStdio<Writable, Readable, Readable>

/**
 * Starts a program that communicates over its standard streams; resolves once it runs. Rejects if it cannot start: `spawn` itself reports that only
 * later, and returns a child without streams if the process has no file descriptor left (EMFILE).
 */
export const startChild = async (
  path: string,
  argv: readonly string[],
  options: Omit<SpawnOptionsWithoutStdio, 'stdio'>,
): Promise<PipedChild> => {
  const child = spawn(path, argv, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  await once(child, 'spawn')
  return child
}
