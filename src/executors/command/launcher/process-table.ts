import { readdirSync, readFileSync } from 'node:fs'

/** A process as described by `/proc/<pid>/stat` (proc(5)). Linux only: elsewhere all functions here return nothing. */
export type ProcessEntry = {
  readonly pid: number
  readonly parent: number
  readonly session: number
  /** In clock ticks since boot. Together with the pid it identifies a process uniquely. */
  readonly startedAt: number
}

/** null: no such process, or a zombie. */
export const readProcess = (pid: number): ProcessEntry | null => {
  const text = readText(`/proc/${pid}/stat`)
  // The name in parentheses may itself contain spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 20 || fields[0] === 'Z' || fields[0] === 'X') return null
  return { pid, parent: Number(fields[1]), session: Number(fields[3]), startedAt: Number(fields[19]) }
}

/** Pids of all processes. */
export const listPids = (): readonly number[] => {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** The value of an environment variable when the program started, or null. */
export const readVariable = (pid: number, name: string): string | null => {
  const environment = readText(`/proc/${pid}/environ`)
  const start = `\0${environment}`.indexOf(`\0${name}=`)
  if (start < 0) return null
  const from = start + name.length + 1
  const end = environment.indexOf('\0', from)
  return environment.slice(from, end < 0 ? undefined : end)
}

/** Children of a process's main thread, both started and adopted. null: not supported by the kernel. */
export const readChildren = (pid: number): readonly number[] | null => {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return null
  }
}

/** Changes with every boot. '' if the system has none. */
export const readBootId = (): string => readText('/proc/sys/kernel/random/boot_id').trim()

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
