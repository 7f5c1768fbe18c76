import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import type { Endpoint } from '../engines.ts'

/** What MILLRACE_CLICKHOUSE_URL says. */
export type ServerAddress = {
  /** For statements of the account of the address. */
  readonly own: Endpoint
  /** Host and port, for messages: there is no password in it. */
  readonly host: string
  /** What databases and users of Millrace begin with. */
  readonly prefix: string
}

export const readServerAddress = (text: string): ServerAddress => {
  const url = new URL(text)
  return {
    own: {
      url: url.origin,
      agent: url.protocol === 'https:' ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true }),
      username: decode(url.username) || 'default',
      password: decode(url.password),
      longestParameter: LONGEST_PARAMETER,
    },
    host: url.host,
    prefix: url.pathname.replace(/^\/+|\/+$/g, '') || 'millrace',
  }
}

/** ClickHouse takes 128 KiB of each (`http_max_field_value_size`), as encoded, and proxies before it take less. */
const LONGEST_PARAMETER = 64 * 1024

/** A password may have a percent sign that nobody has encoded. */
const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
