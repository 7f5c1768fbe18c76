import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { BlobStore } from '../../src/blobs/blob-store.ts'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { createDeliverLoop } from '../../src/engine/deliver.ts'
import type { Loop } from '../../src/engine/loop.ts'
import { parseAddressRules } from '../../src/kernel/address-rules.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import type { NewResult } from '../../src/model/outcome.ts'
import { takeSecrets } from '../../src/model/secrets.ts'
import type { Sink } from '../../src/model/sink.ts'
import type { Delivery } from '../../src/model/workflow.ts'
import { openSecretBox, type SecretBox } from '../../src/store/secrets.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { COMPLETE, failure, leaseOf, newJob, WORKSPACE } from '../conformance/suite/scene.ts'

export type Finish = {
  readonly sinks: readonly Sink[]
  readonly fails?: boolean
  readonly result?: NewResult
  readonly body?: Readonly<Record<string, unknown>>
  readonly count?: number
}

/** A real store whose jobs end as a test wants, and loops that deliver from its outbox. */
export type Outbox<C extends Clock> = {
  /** Its blobs and its secret key are here. */
  readonly dataDir: string
  readonly store: Store
  readonly blobs: BlobStore
  readonly clock: C
  readonly secrets: SecretBox
  /** Ended jobs with these sinks; returns their ids. */
  finish(input: Finish): Promise<readonly string[]>
  startLoop(options?: { store?: Store; secrets?: SecretBox }): Loop
  deliveries(): Promise<readonly Delivery[]>
  /** The deliveries once they meet the condition. */
  until(condition: (deliveries: readonly Delivery[]) => boolean): Promise<readonly Delivery[]>
}

export const openOutbox = async <C extends Clock>(clock: C, openStore = openEmbedded): Promise<Outbox<C>> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-outbox-'))
  const store = await openStore({ dataDir, clock })
  const blobs = await openFileBlobStore({ directory: join(dataDir, 'blobs') })
  const secrets = openSecretBox({ dataDir, secretKey: null })
  const loops: Loop[] = []
  onTestFinished(async () => {
    await Promise.all(loops.map(loop => loop.stop()))
    await store.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const deliveries = () => listAll(store)
  return {
    dataDir,
    store,
    blobs,
    clock,
    secrets,
    finish: input => finishJobs({ store, secrets }, input),
    startLoop: options => {
      const loop = createDeliverLoop({
        store,
        blobs,
        secrets,
        clock,
        logger: silentLogger,
        addressRules: parseAddressRules('127.0.0.0/8'),
        publicUrl: 'https://runs.test',
        pollMs: 20, // the clock of the test moves by leaps, timers do not see them
        ...options,
      })
      loops.push(loop)
      loop.start()
      return loop
    },
    deliveries,
    until: async condition => {
      for (const end = performance.now() + 50_000; ; ) {
        const found = await deliveries()
        if (condition(found)) return found
        if (performance.now() > end) throw new Error(`waited too long: ${JSON.stringify(found.slice(0, 3))}`)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    },
  }
}

const openEmbedded = ({ dataDir, clock }: { dataDir: string; clock: Clock }): Promise<Store> =>
  openSqliteStore({ path: join(dataDir, 'millrace.db'), clock })

const finishJobs = async (
  { store, secrets }: Pick<Outbox<Clock>, 'store' | 'secrets'>,
  { sinks, fails = false, result, body = {}, count = 1 }: Finish,
): Promise<readonly string[]> => {
  const taken = takeSecrets({ api: 'scrape', ...body, sinks }, [], [])
  const jobs = Array.from({ length: count }, () =>
    newJob({
      kind: 'api',
      spec: JSON.stringify(taken.body),
      secrets: secrets.seal(taken.secrets),
      sinks: sinks.map((sink, index) => ({ index, onFailure: sink.skip_on_fail !== true })),
    }),
  )
  await store.submitJobs({ jobs, maxQueued: 1_000_000 })
  const claimed = await store.claimJobs({ workerId: 'worker', kinds: ['api'], limit: count, leaseMs: 15_000 })
  const end = fails ? failure() : { ...COMPLETE, result: result ?? null }
  await store.endAttempts(claimed.map(job => ({ lease: leaseOf(job), end, log: [] })))
  return jobs.map(({ id }) => id)
}

const listAll = async (store: Store): Promise<readonly Delivery[]> => {
  const all: Delivery[] = []
  for (let cursor: string | null = null; ; ) {
    const page = await store.listDeliveries({ workspace: WORKSPACE, filters: {}, limit: 500, cursor })
    all.push(...page.deliveries)
    if (page.nextCursor === null) return all
    cursor = page.nextCursor
  }
}
