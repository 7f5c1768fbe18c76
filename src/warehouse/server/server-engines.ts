import { createHash, createHmac } from 'node:crypto'
import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { createClient } from '@clickhouse/client'
import type { Endpoint, Engines } from '../engines.ts'
import { toWarehouseError } from '../fault.ts'
import { quoteIdentifier } from '../quote-identifier.ts'

/**
 * A ClickHouse server or cluster: one database and one user per workspace, named with the prefix. The user may only read that
 * database; what the server itself does, it does as the account of the address.
 */
export const openServerEngines = ({ url }: { url: string }): Engines => {
  const { own, prefix } = readAddress(url)
  const client = createClient({
    url: own.url,
    username: own.username,
    password: own.password,
    http_agent: own.agent,
    log: { level: OFF },
    // The agent is shared with other clients: see `connection.ts`.
    keep_alive: { enabled: true, idle_socket_ttl: 0 },
  })
  const users = new Map<string, Promise<Endpoint>>()
  const nameOf = (workspace: string): string => `${prefix}_${workspace}`

  const userOf = (name: string): Promise<Endpoint> => {
    const known = users.get(name)
    if (known !== undefined) return known
    const password = passwordOf(name, own.password)
    const made = provision(name, password).then(() => ({ ...own, username: name, password }))
    users.set(name, made)
    made.catch(() => users.delete(name))
    return made
  }

  /** Once in the life of this process, and whole: a changed password of the account changes the users' too. */
  const provision = async (name: string, password: string): Promise<void> => {
    const quoted = quoteIdentifier(name)
    const hash = createHash('sha256').update(password).digest('hex')
    try {
      for (const query of [
        `CREATE DATABASE IF NOT EXISTS ${quoted}`,
        `CREATE USER IF NOT EXISTS ${quoted} IDENTIFIED WITH sha256_hash BY '${hash}'`,
        `ALTER USER ${quoted} IDENTIFIED WITH sha256_hash BY '${hash}' DEFAULT DATABASE ${quoted}`,
        `GRANT SELECT ON ${quoted}.* TO ${quoted}`,
      ])
        await client.command({ query })
    } catch (error) {
      throw toWarehouseError(error)
    }
  }

  return {
    database: nameOf,
    endpoints: async workspace => ({ own, users: await userOf(nameOf(workspace)), hasQueryLog: true }),
    importFolder: () => null,
    problem: async () => {
      const answer = await client.ping()
      return answer.success ? null : `The ClickHouse server does not answer: ${toWarehouseError(answer.error).message}`
    },
    warning: () => null,
    close: async () => own.agent.destroy(),
  }
}

/** `ClickHouseLogLevel.OFF`: the client would write to the console, and with statements. */
const OFF = 127

const readAddress = (text: string): { own: Endpoint; prefix: string } => {
  const url = new URL(text)
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '') || 'millrace'
  return {
    own: {
      url: url.origin,
      agent: url.protocol === 'https:' ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true }),
      username: decodeURIComponent(url.username) || 'default',
      password: decodeURIComponent(url.password),
    },
    prefix,
  }
}

/** Derived, so that every server of a deployment knows it and none stores it. */
const passwordOf = (name: string, key: string): string =>
  createHmac('sha256', key).update(`millrace warehouse user ${name}`).digest('base64url')
