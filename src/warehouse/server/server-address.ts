import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import type { Endpoint } from '../engines.ts'

/** The parsed MILLRACE_CLICKHOUSE_URL. */
export type ServerAddress = {
  /** For statements of the URL's account. */
  readonly own: Endpoint
  /** Host and port, for messages; contains no password. */
  readonly host: string
  /** The prefix of Millrace's databases and users. */
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

/** ClickHouse accepts 128 KiB for each encoded parameter (`http_max_field_value_size`). Proxies in front of it may accept less. */
const LONGEST_PARAMETER = 64 * 1024

/** A password may contain an unencoded percent sign. */
const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
