import { ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type ProcessEntry, readBootId, readProcess } from './process-table.ts'

/**
 * What this launcher has started, on disk, so that the next one can end it after a crash. The first line is the start of
 * the machine, without which pids mean nothing; then one line `pid start` for each process, the launcher first.
 */
export interface ProcessRecord {
  add(process: Pick<ProcessEntry, 'pid' | 'startedAt'>): void
  /** Nothing runs: what was noted is over. */
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

/** What a former launcher noted, the launcher itself first. Nothing when the machine has started since. */
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
