import { readdirSync, readFileSync } from 'node:fs'

export type ProcessInfo = { readonly pid: number; readonly parent: number; readonly commandLine: string }

/** Every process of the machine, from `/proc` (proc(5)). */
const listProcesses = (): readonly ProcessInfo[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      const info = readProcess(Number(name))
      return info === null ? [] : [info]
    })

const readProcess = (pid: number): ProcessInfo | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z' || state === 'X') return null
    return {
      pid,
      parent: Number(parent),
      commandLine: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
    }
  } catch {
    return null
  }
}

/** The launcher of a server: the child of it that runs its launcher program. */
export const findLauncher = (serverPid: number): number | null =>
  listProcesses().find(({ parent, commandLine }) => parent === serverPid && commandLine.includes('launcher'))?.pid ??
  null

/** Processes that jobs of this run started, recognized by their command line or environment. */
export const findStrays = (directory: string): readonly ProcessInfo[] =>
  listProcesses().filter(({ pid, commandLine }) => commandLine.includes(`${directory}/`) || hasMark(pid, directory))

const hasMark = (pid: number, directory: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`CHAOS=${directory}`)
  } catch {
    return false
  }
}

/** `kill -9`; false if it was already gone. */
export const killNow = (pid: number): boolean => {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}
