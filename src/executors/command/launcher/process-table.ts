import { readdirSync, readFileSync } from 'node:fs'

/** A process as `/proc/<pid>/stat` tells it (proc(5)). Linux only: elsewhere everything here is empty. */
export type ProcessEntry = {
  readonly pid: number
  readonly parent: number
  readonly session: number
  /** In clock ticks since boot: with the pid it names a process for good. */
  readonly startedAt: number
}

/** null: there is none, or it has ended and waits to be reaped. */
export const readProcess = (pid: number): ProcessEntry | null => {
  const text = readText(`/proc/${pid}/stat`)
  // The name in parentheses may hold spaces and parentheses itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 20 || fields[0] === 'Z' || fields[0] === 'X') return null
  return { pid, parent: Number(fields[1]), session: Number(fields[3]), startedAt: Number(fields[19]) }
}

/** Ids of all processes there are. */
export const listPids = (): readonly number[] => {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** The value of an environment variable at the start of the program, or null. */
export const readVariable = (pid: number, name: string): string | null => {
  const environment = readText(`/proc/${pid}/environ`)
  const start = `\0${environment}`.indexOf(`\0${name}=`)
  if (start < 0) return null
  const from = start + name.length + 1
  const end = environment.indexOf('\0', from)
  return environment.slice(from, end < 0 ? undefined : end)
}

/** Children of the main thread of a process: those it started there and those it adopted. null: the kernel does not say. */
export const readChildren = (pid: number): readonly number[] | null => {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return null
  }
}

/** Changes with every start of the machine; '' where the system has none. */
export const readBootId = (): string => readText('/proc/sys/kernel/random/boot_id').trim()

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
