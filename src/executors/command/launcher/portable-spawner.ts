import { spawn } from 'node:child_process'
import type { Spawned, Spawner, SpawnerOptions } from './spawner.ts'

/** The spawner for systems where `node:ffi` is missing. Slower: it forks this whole process for each command. */
export const createPortableSpawner = ({ user, onExit }: SpawnerOptions): Spawner => ({
  name: 'portable',
  adopts: false,
  spawn({ path, argv, environment, workingDir, stdio }) {
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

const failed = (child: NodeJS.EventEmitter): Promise<Spawned> =>
  new Promise(resolve => child.once('error', error => resolve({ error: codeOf(error) })))

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'EINVAL'
