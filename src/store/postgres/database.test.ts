import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts'
import { connectDatabase } from './database.ts'

let created: TestDatabase
beforeAll(async () => {
  created = await createTestDatabase()
})
afterAll(() => created.drop())

test('the settings that durability and plans need hold beside the options of the URL, which hold, too', async () => {
  const url = new URL(created.url)
  url.searchParams.set('options', '-c search_path=elsewhere -c synchronous_commit=off')
  const database = connectDatabase(url.href)
  const text = `
    SELECT current_setting('search_path') AS path, current_setting('synchronous_commit') AS commit,
      current_setting('plan_cache_mode') AS plans`
  const [hot, reader] = await Promise.all(
    [database, database.reader].map(target => target.query({ name: '', text }, [])),
  )
  await database.close()
  expect(hot).toEqual([{ path: 'elsewhere', commit: 'on', plans: 'force_generic_plan' }])
  expect(reader).toEqual([{ path: 'elsewhere', commit: 'on', plans: 'auto' }])
})

test('a password need not be percent-encoded', async () => {
  const role = `with_percent_${process.pid}`
  await created.query(`CREATE ROLE ${role} LOGIN PASSWORD '50% off'`)
  const { protocol, host, pathname } = new URL(created.url)
  const database = connectDatabase(`${protocol}//${role}:50% off@${host}${pathname}?sslmode=disable`)
  const text = `SELECT session_user AS role, current_setting('jit') AS jit`
  expect(await database.query({ name: '', text }, [])).toEqual([{ role, jit: 'off' }])
  await database.close()
  await created.query(`DROP ROLE ${role}`)
})
