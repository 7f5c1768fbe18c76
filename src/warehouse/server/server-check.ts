import type { Clock } from '../../kernel/clock.ts'
import { askForJson, askServer, otherAnswer, unavailable } from './ask-server.ts'
import { type ChangedSettings, changedSettings } from './changed-settings.ts'
import type { ServerAddress } from './server-address.ts'

/**
 * The first release that supports everything we send: the table engine Alias no longer needs a setting (ClickHouse #103488). The other features in use are
 * older (docs/operations.md).
 */
const LEAST_VERSION = { year: 26, release: 5 } as const

/** Checks whether the server of an address is usable. */
export interface ServerCheck {
  /** The result of the last successful check, until `forget`. Throws `WarehouseError` `engine_unavailable` that says what is wrong. */
  passed(): Promise<ChangedSettings>
  /** Checks now, unless a check was made a moment ago. Throws as `passed` does. */
  look(): Promise<ChangedSettings>
  /** Call it when the server was unreachable: it may be a different one afterwards. */
  forget(): void
}

/** Every kind of job asks for the health of the same server. */
const FRESH_MS = 2_000

export const createServerCheck = (address: ServerAddress, clock: Pick<Clock, 'monotonic'>): ServerCheck => {
  let last: { readonly result: Promise<ChangedSettings>; readonly at: number } | null = null
  let found: Promise<ChangedSettings> | null = null

  const look = (): Promise<ChangedSettings> => {
    if (last !== null && clock.monotonic() - last.at < FRESH_MS) return last.result
    const result = checkServer(address)
    last = { result, at: clock.monotonic() }
    // There may be no caller waiting: this avoids an unhandled rejection.
    result.catch(() => {})
    return result
  }

  return {
    look,
    passed: () => {
      if (found !== null) return found
      const looking = look()
      found = looking
      looking.catch(() => {
        if (found === looking) found = null
      })
      return looking
    },
    forget: () => {
      found = null
      last = null
    },
  }
}

const checkServer = async (address: ServerAddress): Promise<ChangedSettings> => {
  const { own: endpoint, host } = address
  const version = (await askServer({ endpoint, host, sql: 'SELECT version()' })).trim()
  if (!/^\d+\.\d+[\w.-]{0,40}$/.test(version)) throw unavailable(otherAnswer({ status: 200, text: version }, host))
  if (!isRecent(version))
    throw unavailable(
      `ClickHouse ${version} at ${host} is too old: Millrace needs ${LEAST_VERSION.year}.${LEAST_VERSION.release} or later.`,
    )
  // In parallel: sequential requests would reuse one connection.
  const ask = () => askForJson<readonly [zone: string, id: string]>({ endpoint, host, sql: FACTS_SQL })
  const [[zone, id], ...others] = await Promise.all([ask(), ask(), ask()])
  if (!UTC.test(zone))
    throw unavailable(
      `The time zone of ClickHouse at ${host} is ${zone}: set <timezone>UTC</timezone> in its configuration. Millrace's times are UTC, and functions over columns without a zone go by the server's.`,
    )
  if (others.some(([, other]) => other !== id))
    throw unavailable(
      `${host} leads to more than one ClickHouse server, and each would have tables of its own: give the address of one.`,
    )
  return changedSettings({ endpoint, host })
}

const FACTS_SQL = 'SELECT toJSONString([serverTimezone(), toString(serverUUID())]) FORMAT TSVRaw'

/** ClickHouse's names for UTC. */
const UTC = /^(Etc\/)?(UTC|UCT|Universal|Zulu|GMT)$/

const isRecent = (version: string): boolean => {
  const [, year, release] = /^(\d+)\.(\d+)\b/.exec(version) ?? []
  const { year: leastYear, release: leastRelease } = LEAST_VERSION
  return Number(year) > leastYear || (Number(year) === leastYear && Number(release) >= leastRelease)
}
