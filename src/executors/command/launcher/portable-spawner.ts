import { spawn, spawnSync } from 'node:child_process'
import type { Spawned, Spawner, SpawnerOptions } from './spawner.ts'

/** The spawner for systems without `node:ffi`. Slower, because it forks this whole process for each command. */
export const createPortableSpawner = ({ user, onExit }: SpawnerOptions): Spawner => ({
  name: 'portable',
  adopts: false,
  spawn({ path, argv, environment, workingDir, stdio }) {
    if (user !== null && !canEnter(user, workingDir)) return { error: 'EACCES' }
    try {
      const child = spawn(path, argv.slice(1), {
        argv0: argv[0],
        cwd: workingDir,
        env: environment,
        stdio: [...stdio],
        detached: true,
        ...user,
      })
      const { pid } = child
      if (pid === undefined) return failed(child)
      child.once('exit', (exitCode, signal) => onExit(pid, { exitCode, signal }))
      return { pid }
    } catch (error) {
      return { error: codeOf(error) }
    }
  },
})

/** Needed because `child_process` enters the directory before it changes the user. */
const canEnter = (user: NonNullable<SpawnerOptions['user']>, directory: string): boolean =>
  spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], { cwd: '/', env: {}, stdio: 'ignore', ...user })
    .status === 0

const failed = (child: NodeJS.EventEmitter): Promise<Spawned> =>
  new Promise(resolve => child.once('error', error => resolve({ error: codeOf(error) })))

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'EINVAL'
