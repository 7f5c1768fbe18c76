import { afterEach, beforeEach, describe } from 'vitest'
import { analyticsTests } from './suite/analytics.ts'
import { artifactTests } from './suite/artifacts.ts'
import { cancelTests } from './suite/cancel.ts'
import { catalogueTests } from './suite/catalogue.ts'
import { changedJobTests } from './suite/changed-jobs.ts'
import { claimTests } from './suite/claim.ts'
import { deliveryTests } from './suite/deliveries.ts'
import { endTests } from './suite/ends.ts'
import { exclusiveKeyTests } from './suite/exclusive-keys.ts'
import { extensionTests } from './suite/extensions.ts'
import { firingTests } from './suite/firing.ts'
import { idempotencyTests } from './suite/idempotency.ts'
import { leaseTests } from './suite/leases.ts'
import { listTests } from './suite/lists.ts'
import { logTests } from './suite/logs.ts'
import { notificationTests } from './suite/notifications.ts'
import { overlapTests } from './suite/overlap.ts'
import { publicationTests } from './suite/publications.ts'
import { publishedItemTests } from './suite/published-items.ts'
import { walkTests } from './suite/random-walk.ts'
import { resultTests } from './suite/results.ts'
import { retentionTests } from './suite/retention.ts'
import { runItemTests } from './suite/run-items.ts'
import { runWalkTests } from './suite/run-walk.ts'
import { runTests } from './suite/runs.ts'
import { type OpenStore, Scene } from './suite/scene.ts'
import { signalTests } from './suite/signals.ts'
import { submitTests } from './suite/submit.ts'
import { tableLockTests } from './suite/table-locks.ts'
import { timeTests } from './suite/time.ts'
import { triggerTests } from './suite/triggers.ts'
import { turnTests } from './suite/turns.ts'
import { workflowTests } from './suite/workflows.ts'
import { workspaceTests } from './suite/workspaces.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Every implementation of the store passes these tests. Each test has a fresh store and its own clock. */
export const storeSuite = (name: string, open: OpenStore): void => {
  describe(name, () => {
    let scene: Scene
    beforeEach(async () => {
      const clock = new VirtualClock(Date.UTC(2026, 10, 21, 12))
      scene = new Scene(clock, await open(clock))
    })
    afterEach(() => scene.close())

    for (const [area, tests] of AREAS) describe(area, () => tests(() => scene))
  })
}

/** The tests of an area; the scene exists only while a test runs. */
export type AreaTests = (scene: () => Scene) => void

const AREAS: readonly (readonly [string, AreaTests])[] = [
  ['submit', submitTests],
  ['claim', claimTests],
  ['end', endTests],
  ['cancel', cancelTests],
  ['leases', leaseTests],
  ['time', timeTests],
  ['exclusive keys', exclusiveKeyTests],
  ['random walks', walkTests],
  ['lists', listTests],
  ['logs', logTests],
  ['artifacts', artifactTests],
  ['idempotency', idempotencyTests],
  ['retention', retentionTests],
  ['workspaces, tokens, workers', workspaceTests],
  ['signals', signalTests],
  ['workflows', workflowTests],
  ['firing and slots', firingTests],
  ['overlap', overlapTests],
  ['triggers', triggerTests],
  ['runs', runTests],
  ['items of runs', runItemTests],
  ['extensions', extensionTests],
  ['random walks of runs', runWalkTests],
  ['results', resultTests],
  ['deliveries', deliveryTests],
  ['notifications', notificationTests],
  ['analytics', analyticsTests],
  ['catalogue', catalogueTests],
  ['table locks', tableLockTests],
  ['turns for tables', turnTests],
  ['publications', publicationTests],
  ['published items of runs', publishedItemTests],
  ['changed jobs', changedJobTests],
]
