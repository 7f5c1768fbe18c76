import type { Statement } from './database.ts'
import type { Session } from './session.ts'

const GET: Statement = { name: 'get_setting', text: 'SELECT value FROM millrace.setting WHERE name = $1' }

/** Implements `getSetting`. */
export const getSetting = async (session: Session, { name }: { name: string }): Promise<string | null> => {
  const [row] = await session.database.query<{ value: string }>(GET, [name])
  return row?.value ?? null
}

const SET: Statement = {
  name: 'set_setting',
  text: `
    INSERT INTO millrace.setting (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
}

/** Implements `setSetting`. */
export const setSetting = async (session: Session, { name, value }: { name: string; value: string }): Promise<void> => {
  await session.database.query(SET, [name, value])
}

const ADD: Statement = {
  name: 'add_setting',
  text: 'INSERT INTO millrace.setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING 1',
}

const REPLACE: Statement = {
  name: 'replace_setting',
  text: 'UPDATE millrace.setting SET value = $2 WHERE name = $1 AND value = $3 RETURNING 1',
}

/** Implements `replaceSetting`. */
export const replaceSetting = async (
  { database }: Session,
  { name, from, to }: { name: string; from: string | null; to: string },
): Promise<boolean> => {
  const replaced = from === null ? database.query(ADD, [name, to]) : database.query(REPLACE, [name, to, from])
  return (await replaced).length > 0
}

const NOW: Statement = { name: 'now', text: 'SELECT millrace.clock($1::bigint) AS now' }

/** Implements `now`. */
export const readClock = async (session: Session): Promise<number> => {
  const [row] = await session.database.query<{ now: number }>(NOW, [session.now()])
  return row!.now
}

/** A real write, because a standby or a full disk still serves reads. */
const PING: Statement = {
  name: 'ping',
  text: `
    INSERT INTO millrace.setting (name, value) VALUES ('ping', 'pong')
    ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
}

/** Implements `ping`. */
export const ping = async (session: Session): Promise<void> => {
  await session.database.query(PING, [])
}
