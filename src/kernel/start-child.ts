import { type ChildProcessByStdio, type SpawnOptionsWithoutStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

export type PipedChild = ChildProcessByStdio<Writable, Readable, Readable>

/**
 * Starts a program that is talked to by its standard streams; resolves once it runs. Rejects where it cannot: `spawn` itself tells so only afterwards, and
 * gives a child without streams when the process has no descriptor left (EMFILE).
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
