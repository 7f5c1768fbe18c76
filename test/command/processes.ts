import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readProcess } from '../../src/executors/command/launcher/process-table.ts'

export const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))

/** True while a process runs; false when it has ended, reaped or not. */
export const isAlive = (pid: number): boolean => readProcess(pid) !== null

/** Process ids in a file, one per line; [] if it does not exist. */
export const readPids = (path: string): readonly number[] => {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number)
  } catch {
    return []
  }
}
