import { type ClickHouseClient, createClient } from '@clickhouse/client'
import type { Endpoint } from './engines.ts'

/** A statement takes as long as its job may, or as its signal says; the longest timer there is. */
const NO_TIMEOUT_MS = 2 ** 31 - 1

/** `ClickHouseLogLevel.OFF`: the client would write to the console, and with statements. */
const OFF = 127

/** A client of ClickHouse's HTTP interface. It holds nothing but the endpoint's agent, which it shares. */
export const openClient = ({ url, username, password, agent }: Endpoint, database: string): ClickHouseClient =>
  createClient({
    url,
    username,
    password,
    database,
    request_timeout: NO_TIMEOUT_MS,
    log: { level: OFF },
    http_agent: agent,
    // Else each client ends a socket 2.5 s after its own last statement, also while another client that shares it waits there.
    keep_alive: { enabled: true, idle_socket_ttl: 0 },
  })
