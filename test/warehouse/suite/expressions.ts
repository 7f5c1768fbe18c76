import { expect, test } from 'vitest'
import type { AreaTests } from './scene.ts'

export const expressionTests: AreaTests = scene => {
  const check = (sql: string) => scene().warehouse.checkExpression({ workspace: scene().workspace, sql })

  test('is returned in a form that can be put into a statement', async () => {
    expect(await check('toDate( a ) -- by day')).toBe('toDate(a)')
    expect(await check('(a,b)')).toBe('(a, b)')
    expect(await check("CAST(a AS String) = a::String AND a NOT IN ('x (alias y)')")).toMatch(/CAST\(a/)
    expect(await check('now() > at')).toBe('now() > at')
    expect(await check('at + INTERVAL 1 DAY')).toBe('at + toIntervalDay(1)')
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
    '(b AS a) = 1',
    '1 AS a',
    'a IN (1, 2 AS b)',
    'rand() % 2',
    'rowNumberInAllBlocks() < 3',
  ])('%s is refused', async sql => {
    await expect(check(sql)).rejects.toMatchObject({ reason: 'sql_error' })
  })

  test('that does not parse is reported with its own position', async () => {
    await expect(check('a >')).rejects.toThrow(/position 4 \(end of query\)/)
    await expect(check('a >\nx )')).rejects.toThrow(/position 7 .*line 2, col 3/)
  })
}
