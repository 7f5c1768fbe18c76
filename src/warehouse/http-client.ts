import { type ClickHouseClient, createClient } from '@clickhouse/client'
import { LONGEST_TIMER_MS } from '../kernel/longest-timer.ts'
import type { Endpoint } from './engines.ts'

/** `ClickHouseLogLevel.OFF`: otherwise the client writes to the console, including statements. */
const OFF = 127

/** A client of ClickHouse's HTTP interface. It holds nothing but the endpoint's shared agent. */
export const openClient = ({ url, username, password, agent }: Endpoint, database: string): ClickHouseClient =>
  createClient({
    url,
    username,
    password,
    database,
    // Statements are limited by their jobs and signals.
    request_timeout: LONGEST_TIMER_MS,
    log: { level: OFF },
    http_agent: agent,
    // Otherwise each client closes a socket 2.5 s after its own last statement, even while another client is waiting on it.
    keep_alive: { enabled: true, idle_socket_ttl: 0 },
  })
