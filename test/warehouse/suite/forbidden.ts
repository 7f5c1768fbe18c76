import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { TAKES_FUNCTIONS } from '../../../src/warehouse/guard/judge-tree.ts'
import { ATTACKS, BOUND_ATTACKS } from '../attacks.ts'
import type { AreaTests } from './scene.ts'

export const forbiddenTests: AreaTests = scene => {
  for (const [aim, attacks] of Object.entries(ATTACKS))
    test(aim, async () => {
      for (const sql of attacks) {
        const error = await scene()
          .refusal({ sql })
          .catch(error => Promise.reject(new Error(`${sql}: ${error.message}`)))
        expect(error.reason, sql).toBe('sql_error')
      }
    })

  test('inject SQL or another name through a parameter', async () => {
    for (const { sql, parameters } of BOUND_ATTACKS)
      expect((await scene().refusal({ sql, parameters })).reason, sql).toBe('sql_error')
  })

  test('pass a function by name to one that the guard does not know to take functions', async () => {
    const columns = await scene().rows(
      "SELECT name FROM system.columns WHERE database = 'system' AND table = 'functions' AND name = 'higher_order'",
    )
    // Servers before 26 do not report it.
    if (columns.length === 0) return
    const takers = await scene().rows<{ name: string }>('SELECT name FROM system.functions WHERE higher_order')
    expect(takers.length).toBeGreaterThan(20)
    expect(takers.filter(({ name }) => !TAKES_FUNCTIONS.test(name))).toEqual([])
  })

  test('leave anything behind', async () => {
    expect(await scene().text({ sql: 'SELECT count() AS n, sum(a) AS s FROM secrets' })).toBe('{"n":"10","s":"45"}\n')
    expect(await scene().rows("SELECT name FROM system.tables WHERE name = 'pwned'")).toEqual([])
    expect(existsSync('/tmp/millrace-pwned')).toBe(false)
  })
}
