import type { Clock } from '../kernel/clock.ts'
import { newId } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { LEASE_MS } from '../model/lease.ts'
import type { Publication } from '../store/data-store.ts'
import type { Store } from '../store/store.ts'
import type { EngineGate } from '../warehouse/engines.ts'
import { WarehouseError } from '../warehouse/warehouse.ts'
import { openTablesId } from './tables-id.ts'

/**
 * Servers may share a store while each has its own embedded engine. Then only one server's tables count: those of the first that used its engine. The store
 * remembers which. A server's knowledge of that may be `KNOWN_FOR_MS` old, so a publication is committed only if the store still agrees (`claim`).
 */
export type TablesHome = EngineGate & {
  /** Whether another server has the tables, as far as is known. */
  isElsewhere(): Promise<boolean>
  /** Like `enter`, but returns whether it succeeded. */
  tryToEnter(): Promise<boolean>
  /** The setting that the store must still have when this server commits a publication. */
  claim(): { readonly name: string; readonly value: string }
  /** Whether the publication's staged tables are on a server whose tables no longer count. */
  isLost(publication: Pick<Publication, 'createdAt'>): boolean
  /** Makes this server's tables the ones that count. */
  takeOver(): Promise<void>
}

/** The JSON value of the setting. */
type Home = {
  /** The id of the tables (`tables-id.ts`). */
  readonly id: string
  /** Host and address, for people. */
  readonly name: string
  /** The server process that had them last. */
  readonly worker: string
  /** Previous owners, oldest first, and until when; null: the new owner fills it in when it first looks. */
  readonly former: readonly { readonly id: string; readonly until: number | null }[]
}

type Known = {
  readonly place: 'here' | 'elsewhere' | 'free'
  readonly text: string | null
  readonly home: Home | null
  readonly readAt: number
}

type Options = {
  readonly store: Pick<
    Store,
    'getSetting' | 'replaceSetting' | 'now' | 'listWorkers' | 'listWorkspaces' | 'readCatalogue'
  >
  readonly dataDir: string
  /** Shown to people who look for the tables. */
  readonly name: string
  /** The id of this process; called when needed. */
  readonly workerId: () => string
  /** A server that runs no data jobs must not become the owner. */
  readonly isWorker: boolean
  readonly logger: Logger
  readonly clock: Clock
}

const SETTING = 'tables_home'
const KNOWN_FOR_MS = 2_000
/** Enough to tell which server an unfinished publication belongs to. */
const MOST_FORMER = 32

/** Does nothing yet. */
export const createTablesHome = (options: Options): TablesHome => {
  const { store, name, workerId, isWorker, logger, clock } = options
  const tablesId = openTablesId(options.dataDir)
  let known: Known | null = null
  let reading: Promise<Known> | null = null
  /** This server has had the tables. It takes them back only on request; otherwise two servers could take them from each other forever. */
  let wasHere = false

  const read = async (): Promise<Known> => {
    for (;;) {
      const text = await store.getSetting({ name: SETTING })
      const home = text === null ? null : (JSON.parse(text) as Home)
      const readAt = clock.monotonic()
      if (home === null || home.id !== tablesId.read())
        return { place: (await isFree(home)) ? 'free' : 'elsewhere', text, home, readAt }
      const renewed = await renew(home)
      if (renewed === home) return { place: 'here', text, home, readAt }
      await store.replaceSetting({ name: SETTING, from: text, to: JSON.stringify(renewed) })
    }
  }

  /** Enters this process and, after a takeover, the current time: from then on no previous owner can publish. */
  const renew = async (home: Home): Promise<Home> => {
    const isOpen = home.former.some(({ until }) => until === null)
    if (home.worker === workerId() && home.name === name && !isOpen) return home
    const now = isOpen ? await store.now() : 0
    return {
      ...home,
      name,
      worker: workerId(),
      former: home.former.map(({ id, until }) => ({ id, until: until ?? now })),
    }
  }

  const isFree = async (home: Home | null): Promise<boolean> =>
    isWorker && (home === null || (!wasHere && (await isAbandoned(home))))

  /** The owner is gone, and no workspace has a data source that could be lost. */
  const isAbandoned = async ({ worker }: Home): Promise<boolean> => {
    const now = await store.now()
    const last = (await store.listWorkers()).find(({ id }) => id === worker)
    if (last !== undefined && now - last.seenAt < LEASE_MS) return false
    for (const { id } of await store.listWorkspaces())
      if (((await store.readCatalogue({ workspace: id }))?.dataSources.length ?? 0) > 0) return false
    return true
  }

  /** Concurrent callers share one read. */
  const readAgain = (): Promise<Known> => {
    reading ??= read()
      .then(learn, (error: Error) => {
        // Without the store nothing can be published, so readers may go on with what is known.
        if (known === null) throw error
        known = { ...known, readAt: clock.monotonic() }
        return known
      })
      .finally(() => {
        reading = null
      })
    return reading
  }

  const learn = (found: Known): Known => {
    if (known?.place !== found.place && found.place === 'elsewhere')
      logger.warn({ home: found.home?.name }, 'the tables of data jobs are on another server')
    if (found.place === 'here') wasHere = true
    known = found
    return found
  }

  const look = async (): Promise<Known> =>
    known !== null && clock.monotonic() - known.readAt < KNOWN_FOR_MS ? known : readAgain()

  const replace = async ({ text, home }: Pick<Known, 'text' | 'home'>): Promise<boolean> => {
    const id = tablesId.keep(newId())
    const former = home === null ? [] : [...home.former, { id: home.id, until: null }].slice(-MOST_FORMER)
    const next: Home = { id, name, worker: workerId(), former }
    const isReplaced = await store.replaceSetting({ name: SETTING, from: text, to: JSON.stringify(next) })
    if (isReplaced)
      logger.info({ former: home?.name ?? null }, 'the tables of data jobs are on this server from now on')
    return isReplaced
  }

  /** Where the tables are. If nobody has them yet, the first to ask gets them. */
  const settle = async (): Promise<Known> => {
    let found = await look()
    while (found.place === 'free') {
      await replace(found)
      found = await readAgain()
    }
    return found
  }

  const enter = async (): Promise<void> => {
    const found = await settle()
    if (found.place === 'elsewhere') throw new WarehouseError('engine_unavailable', whereText(found.home))
  }

  return {
    enter,
    problem: async () => {
      // An unreachable store is reported as a problem of its own.
      const found = await look().catch(() => null)
      return found?.place === 'elsewhere' ? whereText(found.home) : null
    },
    isElsewhere: async () => (await look()).place === 'elsewhere',
    tryToEnter: async () => (await settle()).place === 'here',
    claim: () => ({ name: SETTING, value: known?.place === 'here' ? known.text! : '' }),
    isLost: ({ createdAt }) => {
      const owner = known?.home?.former.find(({ until }) => until !== null && createdAt < until)
      return owner !== undefined && owner.id !== tablesId.read()
    },
    takeOver: async () => {
      for (;;) {
        const text = await store.getSetting({ name: SETTING })
        const home = text === null ? null : (JSON.parse(text) as Home)
        if ((home !== null && home.id === tablesId.read()) || (await replace({ text, home }))) break
      }
      known = null
      await readAgain()
    },
  }
}

const whereText = (home: Home | null): string =>
  home === null
    ? 'No server has tables yet, and this one would be no place for them: it has not the role worker. Ask one that has, or give all servers one ClickHouse server (MILLRACE_CLICKHOUSE_URL).'
    : `The tables are on the server ${home.name}, in its embedded data engine. Ask that server, or give all servers one ClickHouse server (MILLRACE_CLICKHOUSE_URL). If it is lost for good, start this one once with --take-over-tables: then its tables count, and rows that are only there are gone.`
