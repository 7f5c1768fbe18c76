import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** Debian's `clickhouse-server`, of 2018. */
const PROGRAM = '/usr/sbin/clickhouse-server'

export const hasOldClickHouse = existsSync(PROGRAM)

export type OldClickHouse = {
  readonly port: number
  /** Of the user `default`. */
  readonly password: string
  stop(): Promise<void>
}

/** A ClickHouse server that is far too old, in a directory of its own, serving when this resolves. */
export const startOldClickHouse = async (): Promise<OldClickHouse> => {
  const folder = mkdtempSync(join(tmpdir(), 'clickhouse-'))
  const port = await freePort()
  const password = 'secret'
  const config = join(folder, 'config.xml')
  writeFileSync(join(folder, 'users.xml'), usersXml(password))
  writeFileSync(config, configXml(folder, port))
  const child = spawn(PROGRAM, [`--config-file=${config}`], { cwd: folder, stdio: 'ignore' })
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilServes(child, port)
  } catch (error) {
    await stop()
    throw error
  }
  return { port, password, stop }
}

const START_MS = 20_000

const untilServes = async (child: ChildProcess, port: number): Promise<void> => {
  const end = performance.now() + START_MS
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/ping`).catch(() => null)
    if (answer?.ok) return
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error('the ClickHouse server ended at its start')
    if (performance.now() > end) throw new Error(`the ClickHouse server does not serve within ${START_MS} ms`)
    await delay(50)
  }
}

const configXml = (folder: string, port: number): string => `<?xml version="1.0"?>
<yandex>
  <logger><level>none</level></logger>
  <http_port>${port}</http_port>
  <listen_host>127.0.0.1</listen_host>
  <path>${folder}/data/</path>
  <tmp_path>${folder}/tmp/</tmp_path>
  <users_config>${folder}/users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <mark_cache_size>5368709120</mark_cache_size>
</yandex>`

const usersXml = (password: string): string => `<?xml version="1.0"?>
<yandex>
  <profiles><default></default></profiles>
  <users>
    <default>
      <password>${password}</password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </default>
  </users>
  <quotas><default></default></quotas>
</yandex>`
