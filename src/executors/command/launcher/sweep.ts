import { setTimeout as pause } from 'node:timers/promises'
import { COOKIE_VARIABLE, systemTime } from '../../launched-process.ts'
import { formerCgroups, readMembers, removeCgroups, strikeCgroup } from './cgroup.ts'
import { sendSignal } from './containment.ts'
import { listPids, type ProcessEntry, readProcess, readVariable } from './process-table.ts'
import { type RecordedProcess, readRecord } from './record.ts'

/** A process in uninterruptible sleep must not keep the server from starting. */
const GIVE_UP_MS = 10_000

/**
 * Kills what an earlier launcher of this installation left: the launcher itself, everything in its cgroups, every process that it recorded or that carries
 * a cookie of this installation, and all processes in their sessions or descended from them. Returns how many there were. Nothing of an earlier run may
 * run beside the jobs of the new one.
 */
export const sweepStrays = async ({
  instanceId,
  stateDir,
}: {
  instanceId: string
  stateDir: string
}): Promise<number> => {
  const recorded = readRecord(stateDir)
  const ended = new Set<number>()
  const giveUpAt = systemTime() + GIVE_UP_MS
  for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
    const found = [...strikeCells(instanceId), ...strikeProcesses(instanceId, recorded)]
    for (const pid of found) ended.add(pid)
    if (found.length === 0 || systemTime() > giveUpAt) break
    await pause(wait)
  }
  removeCgroups(instanceId)
  return ended.size
}

const strikeCells = (instanceId: string): readonly number[] =>
  formerCgroups(instanceId).flatMap(({ cells }) =>
    cells.flatMap(cell => {
      const members = readMembers(cell)
      if (members.length > 0) strikeCgroup(cell)
      return members
    }),
  )

/** Stops processes before killing them: a stopped process cannot fork while the others are being found. */
const strikeProcesses = (instanceId: string, recorded: readonly RecordedProcess[]): readonly number[] => {
  const frozen = new Set<number>()
  for (let grown = true; grown; ) {
    const found = findStrays(instanceId, recorded).filter(pid => !frozen.has(pid))
    for (const pid of found) sendSignal(pid, 'SIGSTOP')
    for (const pid of found) frozen.add(pid)
    grown = found.length > 0
  }
  for (const pid of frozen) sendSignal(pid, 'SIGKILL')
  return [...frozen]
}

const findStrays = (instanceId: string, recorded: readonly RecordedProcess[]): readonly number[] => {
  const table = readTable()
  const strays = new Set<number>()
  const sessions = new Set<number>()
  for (let grown = true; grown; ) {
    grown = false
    for (const entry of table.values()) {
      if (strays.has(entry.pid)) continue
      if (!isStray(entry, { instanceId, recorded, strays, sessions })) continue
      strays.add(entry.pid)
      if (entry.session === entry.pid) sessions.add(entry.pid)
      grown = true
    }
  }
  return [...strays]
}

type Known = {
  readonly instanceId: string
  readonly recorded: readonly RecordedProcess[]
  readonly strays: ReadonlySet<number>
  readonly sessions: ReadonlySet<number>
}

const isStray = (entry: ProcessEntry, { instanceId, recorded, strays, sessions }: Known): boolean =>
  strays.has(entry.parent) ||
  sessions.has(entry.session) ||
  recorded.some(({ pid, startedAt }) => isRecorded(entry, pid, startedAt)) ||
  (readVariable(entry.pid, COOKIE_VARIABLE)?.startsWith(`${instanceId}/`) ?? false)

/** The process itself, or one in a session it led: a pid is not reused while its session has members. */
const isRecorded = (entry: ProcessEntry, pid: number, startedAt: number): boolean =>
  entry.pid === pid ? entry.startedAt === startedAt : entry.session === pid && entry.startedAt >= startedAt

/** All processes except this one and its ancestors. */
const readTable = (): ReadonlyMap<number, ProcessEntry> => {
  const table = new Map<number, ProcessEntry>()
  for (const pid of listPids()) {
    const entry = readProcess(pid)
    if (entry !== null) table.set(pid, entry)
  }
  for (let pid = process.pid; pid > 0; ) {
    const parent = table.get(pid)?.parent ?? 0
    table.delete(pid)
    pid = parent
  }
  return table
}
