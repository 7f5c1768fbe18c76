import { expect, test } from 'vitest'
import type { AreaTests } from './scene.ts'

export const expressionTests: AreaTests = scene => {
  const check = (sql: string) => scene().warehouse.checkExpression({ workspace: scene().workspace, sql })

  test('comes back as one that may stand in a statement', async () => {
    expect(await check('toDate( a ) -- by day')).toBe('toDate(a)')
    expect(await check('(a,b)')).toBe('(a, b)')
    expect(await check('at + INTERVAL 1 DAY')).toBe('at + toIntervalDay(1)')
  })

  test('keeps the quotes that a name needs', async () => {
    expect(await check('`true` = "not" AND x = \'"true"\' -- `top`')).toBe("(`true` = `not`) AND (x = '\"true\"')")
  })

  test.each([
    'a, b',
    '(SELECT 1)',
    'a IN (SELECT 1)',
    'a FROM secrets',
    'a WHERE 1',
    'a SETTINGS readonly = 0',
    "file('/etc/passwd')",
    "dictGet('d', 'a', 1)",
    'a) ENGINE = Memory AS (SELECT 1',
    'a; DROP TABLE secrets',
    "a INTO OUTFILE '/tmp/millrace-pwned'",
    'a UNION ALL SELECT 1',
    '',
  ])('%s is refused', async sql => {
    await expect(check(sql)).rejects.toMatchObject({ reason: 'sql_error' })
  })
}
