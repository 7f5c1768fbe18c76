import type { StartOrder } from '../launch-protocol.ts'
import type { Cell } from './containment.ts'
import { findProgram } from './program-path.ts'
import type { Program, Spawned, Spawner } from './spawner.ts'
import type { StreamOpener, Streams } from './streams.ts'

export type StartResult =
  | { readonly pid: number }
  | { readonly error: string; readonly what: 'program' | 'working_dir' }

type Tools = { readonly spawner: Spawner; readonly cell: Cell; readonly streams: StreamOpener }

/** Starts the main process of a command in its cell. Everything up to the fork happens before the first await. */
export const startCommand = async (order: StartOrder, tools: Tools): Promise<StartResult> => {
  let streams: Streams
  try {
    streams = tools.streams.open(order)
  } catch (error) {
    return { error: (error as NodeJS.ErrnoException).code ?? 'EIO', what: 'program' }
  }
  try {
    const input = { ...tools, stdio: streams.stdio }
    const started = await spawnFirst(order, input)
    if ('pid' in started) return started
    return { error: started.error, what: await whatFailed(order, started.error, input) }
  } finally {
    streams.close()
  }
}

type SpawnInput = Tools & { readonly stdio: Program['stdio'] }

const spawnFirst = async (order: StartOrder, { spawner, cell, stdio }: SpawnInput): Promise<Spawned> => {
  const { argv, environment, workingDir } = order
  let last: Spawned = { error: 'ENOENT' }
  for (const path of findProgram(argv[0], { path: environment.PATH ?? '', workingDir })) {
    const spawned = await spawnInside(cell, () => spawner.spawn({ path, argv, environment, workingDir, stdio }))
    if ('pid' in spawned) return spawned
    // As in execvp(3): a candidate that cannot be executed does not end the search, but its error is remembered.
    if (spawned.error !== 'ENOENT' && spawned.error !== 'EACCES' && spawned.error !== 'ENOTDIR') return spawned
    last = spawned
  }
  return last
}

/** `leave` must not wait for the result: the launcher itself is inside until then. */
const spawnInside = (cell: Cell, spawn: () => Promise<Spawned> | Spawned): Promise<Spawned> | Spawned => {
  cell.enter()
  try {
    return spawn()
  } finally {
    cell.leave()
  }
}

/**
 * The system reports a missing program and a missing directory with the same code. Starting a program known to exist tells them apart. It gets the streams of
 * the command: others might be too many open files.
 */
const whatFailed = async (
  { workingDir }: StartOrder,
  error: string,
  { spawner, stdio }: SpawnInput,
): Promise<'program' | 'working_dir'> => {
  if (!['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG', 'EPERM'].includes(error)) return 'program'
  const argv = ['/bin/sh', '-c', ':']
  const probe = await spawner.spawn({ path: argv[0]!, argv, environment: {}, workingDir, stdio })
  return 'error' in probe && probe.error === error ? 'working_dir' : 'program'
}
