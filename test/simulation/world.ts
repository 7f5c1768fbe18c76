import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/kernel/clock.ts'
import { readSchedule, type Schedule } from '../../src/model/schedule/schedule.ts'
import { openSecretBox } from '../../src/store/secrets.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import type { LoadedWorkflow } from '../../src/store/workflow-store.ts'
import { createRandom, type Random } from '../chaos/random.ts'
import { VirtualClock } from '../conformance/virtual-clock.ts'
import { SUBMITTER } from '../engine/harness.ts'
import { createModel, type Model } from './model.ts'
import { record } from './record.ts'
import { createServer, type Server } from './server.ts'

const workspace = 'default'

/** A period of a workflow under one schedule: all its slots after `from` and up to `to` have been handled. */
export type Stretch = { readonly schedule: Schedule | null; readonly from: number; to: number }

export type World = {
  readonly clock: VirtualClock & Clock
  readonly random: Random
  readonly model: Model
  readonly store: Store
  readonly servers: Server[]
  /** Names by id. */
  readonly workflows: ReadonlyMap<string, string>
  readonly stretches: ReadonlyMap<string, readonly Stretch[]>
  create(definition: { readonly name: string }): Promise<void>
  /** Changes a workflow and checks whether its schedule starts anew. */
  tracking(workflow: string, deed: () => Promise<unknown>): Promise<void>
  /** One of the servers dies, and another takes its place. */
  crash(): void
  close(): Promise<void>
}

/** A file system in memory: power cuts of the database are tested elsewhere, here commits must be quick. */
const MEMORY = '/dev/shm'

/** Early March, so that a month contains clock changes. */
const BEGINNING = Date.parse('2026-03-02T00:00:00Z')

/** A world of two servers over one real store. The seed determines every choice in it. */
export const openWorld = async (seed: number): Promise<World> => {
  const directory = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'millrace-simulation-'))
  const random = createRandom(seed)
  const clock = new VirtualClock(BEGINNING)
  const model = createModel()
  const opened = await openSqliteStore({ path: join(directory, 'millrace.db'), clock })
  const store = record(opened, model)
  const secrets = openSecretBox({ dataDir: directory, secretKey: null })
  const start = () => createServer({ store, clock, random, secrets })
  const servers: Server[] = [start(), start()]
  const workflows = new Map<string, string>()
  const stretches = new Map<string, Stretch[]>()

  const load = async (workflow: string): Promise<LoadedWorkflow> =>
    (await opened.loadWorkflow({ workspace, workflow }))!

  const begin = (workflow: LoadedWorkflow): void => {
    const { schedule: spec } = JSON.parse(workflow.definition)
    const schedule = spec ? readSchedule(spec, { createdAt: idTime(workflow.id) }) : null
    if (schedule !== null && 'errors' in schedule) throw new Error('a schedule of the simulation is wrong')
    const { cursor } = workflow.timing
    stretches.set(workflow.id, [...(stretches.get(workflow.id) ?? []), { schedule, from: cursor, to: cursor }])
  }

  return {
    clock,
    random,
    model,
    store,
    servers,
    workflows,
    stretches,
    create: async definition => {
      const { id, name } = await random.pick(servers).workflows.create({ author: SUBMITTER, definition })
      workflows.set(id, name)
      begin(await load(id))
    },
    tracking: async (workflow, deed) => {
      const before = await load(workflow)
      try {
        await deed()
      } finally {
        const after = await load(workflow)
        const isAnew = startsAnew(before, after)
        stretches.get(workflow)!.at(-1)!.to = (isAnew ? before : after).timing.cursor
        if (isAnew) begin(after)
      }
    },
    crash: () => {
      const place = random.between(0, servers.length - 1)
      servers[place]!.die()
      servers[place] = start()
    },
    close: async () => {
      await opened.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A new schedule counts from now, and so does that of a terminated workflow. */
const startsAnew = (before: LoadedWorkflow, after: LoadedWorkflow): boolean =>
  scheduleText(before) !== scheduleText(after) || (before.state === 'terminated' && after.state === 'active')

const scheduleText = ({ definition }: LoadedWorkflow): string => JSON.stringify(JSON.parse(definition).schedule ?? null)

/** When the id was made: intervals of anchor `creation` count from there. */
const idTime = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
