import { setTimeout as pause } from 'node:timers/promises'
import { createStopSignal, type StopSwitch } from '../../src/engine/stop-signal.ts'
import type { ExecutionContext } from '../../src/executors/executor.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { newId } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import type { LogWriter } from '../../src/logs/job-logs.ts'
import { Masker, maskText } from '../../src/logs/masker.ts'
import type { ClaimedJob } from '../../src/model/job.ts'
import { newJob } from '../conformance/suite/scene.ts'

/** A log in memory that keeps at most the last MiB of each stream. */
export type MemoryLog = LogWriter & {
  readonly text: (stream: 'stdout' | 'stderr') => string
  readonly bytes: () => number
  readonly notes: readonly string[]
}

const KEPT_BYTES = 1024 * 1024

export const createMemoryLog = (): MemoryLog => {
  const kept = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  const notes: string[] = []
  let bytes = 0
  return {
    notes,
    bytes: () => bytes,
    text: stream => Buffer.concat(kept[stream]).toString(),
    write: (stream, chunk) => {
      bytes += chunk.length
      if (bytes <= KEPT_BYTES) kept[stream].push(Buffer.from(chunk)) // the chunk is the caller's again
    },
    note: text => {
      notes.push(text)
    },
  }
}

/** A claimed job of kind `command` with that spec, as the store would return it. */
export const claimedJob = (spec: Readonly<Record<string, unknown>>, attempt = 1): ClaimedJob => ({
  ...newJob({ spec: JSON.stringify(spec), scopes: [] }),
  createdAt: Date.now(),
  startedAt: Date.now(),
  attempt,
  leaseToken: newId(),
  userFailures: 0,
  systemFailures: 0,
  nextLogSeq: 1,
})

export type Context = ExecutionContext & {
  readonly stop: StopSwitch
  readonly log: MemoryLog
  /** Artifacts by name, with the content that could be read. */
  readonly artifacts: Map<string, string>
}

/** Only tests about leases renew any. */
const NO_TEST_IS_SO_LONG_MS = 3_600_000

export const createContext = (changes: Partial<ExecutionContext> = {}): Context => {
  const artifacts = new Map<string, string>()
  return {
    clock: systemClock,
    logger: silentLogger,
    stop: createStopSignal(systemClock),
    log: createMemoryLog(),
    secrets: {},
    environment: {},
    leaseSentAt: systemClock.monotonic() + NO_TEST_IS_SO_LONG_MS,
    artifacts,
    mask: text => maskText(Masker.for(Object.values(changes.secrets ?? {})), text),
    progress: () => {},
    waits: () => {},
    lendSlot: <T>(wait: () => Promise<T>) => wait(),
    releaseSlot: () => {},
    extendTimeout: () => {},
    addArtifact: async ({ name, path }) => {
      artifacts.set(name, path)
      return 'added'
    },
    ...changes,
  } as Context
}

/** Waits until a condition holds, and throws if it does not within the bound. */
export const until = async (
  what: string,
  holds: () => unknown | Promise<unknown>,
  withinMs = 20_000,
): Promise<void> => {
  const end = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await pause(10)
  }
}
