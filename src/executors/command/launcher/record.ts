import { ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type ProcessEntry, readBootId, readProcess } from './process-table.ts'

/**
 * Records on disk what this launcher has started, so that the next one can kill it after a crash. The first line is the boot id, without which pids mean
 * nothing. Then comes one line `pid start` per process, the launcher first.
 */
export interface ProcessRecord {
  add(process: Pick<ProcessEntry, 'pid' | 'startedAt'>): void
  /** Nothing is running any more: drops the recorded processes. */
  clear(): void
}

export type RecordedProcess = { readonly pid: number; readonly startedAt: number }

const FILE = 'processes'

/** Starts a new record. */
export const openRecord = (directory: string): ProcessRecord => {
  const file = openSync(join(directory, FILE), 'w', 0o600)
  const own = readProcess(process.pid)
  const header = `${readBootId()}\n${process.pid} ${own?.startedAt ?? 0}\n`
  writeSync(file, header)
  let end = header.length
  const noted = new Map<number, number>()

  return {
    add: ({ pid, startedAt }) => {
      if (noted.get(pid) === startedAt) return
      noted.set(pid, startedAt)
      end += writeSync(file, `${pid} ${startedAt}\n`, end)
    },
    clear: () => {
      if (noted.size === 0) return
      noted.clear()
      end = header.length
      ftruncateSync(file, end)
    },
  }
}

/** The processes recorded by an earlier launcher, the launcher itself first. Empty if the machine has rebooted since. */
export const readRecord = (directory: string): readonly RecordedProcess[] => {
  let text: string
  try {
    text = readFileSync(join(directory, FILE), 'utf8')
  } catch {
    return []
  }
  const [bootId, ...lines] = text.split('\n')
  if (bootId === '' || bootId !== readBootId()) return []
  return lines.filter(Boolean).map(line => {
    const [pid, startedAt] = line.split(' ')
    return { pid: Number(pid), startedAt: Number(startedAt) }
  })
}
