import { createHash, createHmac } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { Endpoint, Endpoints, Engines } from '../engines.ts'
import { quoteIdentifier } from '../quote-identifier.ts'
import { askServer, unavailable } from './ask-server.ts'
import { changedSettings } from './changed-settings.ts'
import { readServerAddress } from './server-address.ts'
import { createServerCheck } from './server-check.ts'

type Options = { readonly url: string; readonly clock: Pick<Clock, 'monotonic'> }

/**
 * A ClickHouse server, with one database and one user per workspace, named with the prefix. The user may only read that database. Our own statements run as the
 * account of the URL.
 */
export const openServerEngines = ({ url, clock }: Options): Engines => {
  const address = readServerAddress(url)
  const { own, prefix, host } = address
  const check = createServerCheck(address, clock)
  const workspaces = new Map<string, Promise<Endpoints>>()
  const fixed = new Set<string>()
  let lastFailure: string | null = null
  const nameOf = (workspace: string): string => `${prefix}_${workspace}`

  let aways = 0

  const onAway = (): void => {
    aways++
    check.forget()
    workspaces.clear()
  }

  const endpointsOf = (name: string): Promise<Endpoints> => {
    const known = workspaces.get(name)
    if (known !== undefined) return known
    const made = open(name)
    workspaces.set(name, made)
    made.then(
      () => {
        lastFailure = null
      },
      (error: Error) => {
        lastFailure = error.message
        if (workspaces.get(name) === made) workspaces.delete(name)
      },
    )
    return made
  }

  const open = async (name: string): Promise<Endpoints> => {
    const { toSend } = await check.passed()
    const user = { ...own, username: name, password: passwordOf(name, own.password) }
    await provision(user)
    const ofUser = await changedSettings({ endpoint: user, host })
    for (const setting of ofUser.fixed) fixed.add(setting)
    return {
      own: { ...own, settings: toSend, onAway },
      users: { ...user, settings: ofUser.toSend, onAway },
      hasQueryLog: true,
    }
  }

  /** Runs once per process, and always sets the password: it is derived from that of the account, which may have changed. */
  const provision = async ({ username, password }: Endpoint): Promise<void> => {
    const quoted = quoteIdentifier(username)
    const hash = createHash('sha256').update(password).digest('hex')
    try {
      for (const sql of [
        `CREATE DATABASE IF NOT EXISTS ${quoted}`,
        `CREATE USER IF NOT EXISTS ${quoted} IDENTIFIED WITH sha256_hash BY '${hash}'`,
        `ALTER USER ${quoted} IDENTIFIED WITH sha256_hash BY '${hash}' DEFAULT DATABASE ${quoted}`,
        `GRANT SELECT ON ${quoted}.* TO ${quoted}`,
      ])
        await askServer({ endpoint: own, host, sql })
    } catch (error) {
      const { message } = error as Error
      throw unavailable(
        `${message} It has to make databases and users: the documentation of operations lists its rights.`,
        error,
      )
    }
  }

  return {
    database: nameOf,
    endpoints: async workspace => endpointsOf(nameOf(workspace)),
    life: () => aways,
    importFolder: () => null,
    problem: async () => {
      try {
        for (const setting of (await check.look()).fixed) fixed.add(setting)
        return lastFailure
      } catch (error) {
        return (error as Error).message
      }
    },
    warning: () => (fixed.size === 0 ? null : `${FIXED}: ${[...fixed].sort().join(', ')}.`),
    close: async () => own.agent.destroy(),
  }
}

const FIXED =
  'ClickHouse has settings that change results and that the account may not set back, so that the answers may differ from those documented'

/** Derived, so that every server of a deployment can compute it and none stores it. */
const passwordOf = (name: string, key: string): string =>
  createHmac('sha256', key).update(`millrace warehouse user ${name}`).digest('base64url')
