import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { longestBlockOf } from '../longest-block.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'millrace-bind-'))
let warehouse: Warehouse
beforeAll(() => {
  warehouse = openWarehouse({
    config: { clickhouseUrl: null, engineMemoryBytes: null, databaseUrl: null },
    dataDir,
    logger: silentLogger,
    clock: systemClock,
  })
})
afterAll(async () => {
  await warehouse.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** The names that are read: `t` is a table, `t<0` the first of the SELECT's own expressions, `?t` the right side of IN, `view:t` a table in `view(…)`. */
const reads = async (sql: string): Promise<string> => {
  const { names, sql: text } = await warehouse.bindSelect({ workspace: 'default', sql })
  return names
    .filter(({ is }) => is !== 'definition')
    .map(({ name, start, end, is, expression, isIsolated }) => {
      expect(text.slice(start, end).replace(/^`|`$/g, '')).toBe(name)
      return `${isIsolated ? 'view:' : ''}${is === 'set' ? '?' : ''}${name}${expression === null ? '' : `<${expression}`}`
    })
    .join(' ')
}

test.each([
  ['SELECT t FROM t AS u, t, `t` JOIN "t" AS v ON t.t = v.t', 't t t t'],
  ["SELECT 't', 'FROM t', t, t.t, t(1), [t], x AS t FROM u -- FROM t", 'u'],
  ['WITH t AS (SELECT 1) SELECT * FROM t', 't<0'],
  ['WITH t(a, b) AS (SELECT 1, 2 FROM t) SELECT a FROM t', 't t<0'],
  ['WITH t AS MATERIALIZED (SELECT 1), u AS (SELECT * FROM t) SELECT * FROM u, t', 't<0 u<1 t<0'],
  ['WITH u AS (SELECT * FROM t), t AS (SELECT 1) SELECT * FROM u', 't<1 u<0'],
  ['WITH (SELECT count() FROM t) AS n, 1 AS t, x -> x + 1 AS f, u AS (SELECT n) SELECT n, t FROM t, u', 't t u<0'],
  ['WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT * FROM t', 't<0 t<0'],
  ['SELECT * FROM (WITH t AS (SELECT 1) SELECT * FROM t) AS a, (SELECT * FROM t) AS b, t', 't<0 t t'],
  ['WITH t AS (SELECT 1) SELECT * FROM (WITH t AS (SELECT * FROM t) SELECT * FROM t), t', 't<0 t<1 t<0'],
  ['WITH t AS (SELECT 1) SELECT * FROM t UNION ALL SELECT * FROM t UNION DISTINCT (SELECT * FROM t)', 't<0 t<0 t<0'],
  ['SELECT 1 FROM t UNION ALL WITH t AS (SELECT 1) SELECT * FROM t UNION ALL SELECT * FROM t', 't t<0 t'],
  ['WITH t AS (SELECT 1) SELECT * FROM t UNION ALL WITH u AS (SELECT * FROM t) SELECT * FROM u, t', 't<0 t u<1 t'],
  ['WITH t AS (SELECT 1) SELECT * FROM t EXCEPT SELECT * FROM t INTERSECT SELECT * FROM t', 't<0 t<0 t<0'],
  ['SELECT * EXCEPT (a, t), * EXCEPT t FROM t', 't'],
  ['SELECT x IN t, x NOT IN (t), in(x, t), x IN (SELECT * FROM t), x IN (1, 2), x IN [t] FROM u', '?t ?t ?t t u'],
  ['SELECT x IN t, 1 AS t FROM u', 'u'],
  ['WITH t AS (SELECT 1) SELECT x IN t, x GLOBAL NOT IN t FROM u', '?t<0 ?t<0 u'],
  [
    'WITH t AS (SELECT 1) SELECT * FROM view(SELECT * FROM t), view(WITH t AS (SELECT 2) SELECT * FROM t)',
    'view:t view:t<1',
  ],
  ['SELECT sum(n) OVER t, max(n) OVER (PARTITION BY t ORDER BY n) FROM t WINDOW t AS (ORDER BY n), u AS (t)', 't'],
  ['SELECT n, t FROM t ARRAY JOIN a AS t ORDER BY t WITH FILL FROM 1 TO 5 STEP 1 INTERPOLATE (t AS t + 1)', 't'],
  ['SELECT t, count() FROM t GROUP BY t WITH TOTALS HAVING t > 1 ORDER BY t LIMIT 1 BY t LIMIT 1 WITH TIES', 't'],
  ['SELECT quantile(0.5)(n), CAST(n AS String), n::UInt8, CASE WHEN t THEN 1 END, INTERVAL 1 DAY FROM t FINAL', 't'],
  ['SELECT {t:String}, {n:UInt8} FROM t WHERE EXISTS (SELECT 1 FROM t AS u WHERE u.n = t.n)', 't t'],
  ['SELECT * FROM live.t, system.jobs_log, t', 'live.t system.jobs_log t'],
  ['SELECT FILL.FILL, STEP FROM FILL, STEP ORDER BY FILL.FILL WITH FILL STEP 1', 'FILL STEP'],
  ['SELECT 1 FROM t LEFT JOIN (SELECT * FROM t JOIN u USING (t)) AS v USING (t) PREWHERE t QUALIFY t', 't t u'],
  ["SELECT '\\'', 'a\\\\', `a\\`t`, 'FROM `t`' FROM t", 't'],
])('%s', async (sql, expected) => {
  expect(await reads(sql)).toBe(expected)
})

/** `-` stands for a SELECT whose FROM does not begin with a table. */
test.each([
  ['SELECT * FROM t JOIN u USING (n)', 't'],
  ['SELECT 1', '-'],
  ['SELECT * FROM numbers(3), t', '-'],
  ['SELECT a FROM t UNION ALL SELECT a FROM u', 't u'],
  ['SELECT a FROM t UNION ALL SELECT b FROM t', 't'],
  ['SELECT a FROM t EXCEPT SELECT a FROM u INTERSECT (SELECT a FROM v UNION DISTINCT SELECT 1)', 't u v -'],
  ['SELECT * EXCEPT (a) FROM t', 't'],
  ['SELECT a FROM (SELECT a FROM t UNION ALL (SELECT a FROM ((SELECT a FROM u)))) AS v JOIN w USING (a)', 't u'],
  ['SELECT a FROM t JOIN (SELECT a FROM u UNION ALL SELECT a FROM v) AS w USING (a)', 't'],
  ['SELECT a FROM t WHERE a IN (SELECT a FROM u UNION ALL SELECT a FROM v)', 't'],
  ['SELECT (SELECT max(a) FROM u) AS m, a FROM t', 't'],
  ['WITH both AS (SELECT a FROM t UNION ALL SELECT a FROM u) SELECT a FROM both', 't u'],
  ['WITH u AS (SELECT a FROM t) SELECT a FROM u UNION ALL SELECT a FROM v', 't v'],
  ['WITH RECURSIVE r AS (SELECT a FROM t UNION ALL SELECT a + 1 FROM r WHERE a < 3) SELECT a FROM r', 't'],
  ['WITH u AS (SELECT a FROM v) SELECT a FROM view(SELECT a FROM t UNION ALL SELECT a FROM u)', 't u'],
  ["SELECT trim(BOTH ' ' FROM a), EXTRACT(YEAR FROM d), substring(a FROM 2) FROM t", 't'],
])('the rows of %s come from %s', async (sql, expected) => {
  const { origins } = await warehouse.bindSelect({ workspace: 'default', sql })
  expect(origins.map(origin => origin ?? '-').join(' ')).toBe(expected)
})

const many = (count: number, make: (index: number) => string, between: string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join(between)

/** How long it takes to analyse a text with that many expressions and that many SELECTs that read them. */
const timeOf = async (count: number): Promise<number> => {
  const expressions = many(count, at => `t${at} AS (SELECT * FROM t${at === 0 ? '' : at - 1})`, ', ')
  const members = many(count, at => `SELECT * FROM t${at} WHERE 1 IN (SELECT 1 FROM t)`, ' UNION ALL ')
  const begun = performance.now()
  const { names } = await warehouse.bindSelect({ workspace: 'default', sql: `WITH ${expressions} ${members}` })
  expect(names).toHaveLength(4 * count)
  return performance.now() - begun
}

test('SQL of maximum length is analysed in seconds', async () => {
  const ofQuarter = await timeOf(250)
  expect(await timeOf(1_000)).toBeLessThan(Math.max(10_000, 10 * ofQuarter))
})

const SELECTS = many(12_000, () => 'SELECT 1', ' UNION ALL ')

test.each([
  ['SELECTs', `SELECT 1 FROM t UNION ALL ${SELECTS}`],
  [
    'expressions',
    `WITH ${many(6_000, at => `c${at} AS (SELECT 1)`, ', ')} SELECT 1 FROM t WHERE ${many(6_000, at => `1 IN c${at}`, ' OR ')}`,
  ],
  [
    'expressions of one name in one WITH, and SELECTs that see them,',
    `WITH ${many(6_000, () => 'c AS (SELECT 1)', ', ')} SELECT 1 FROM c UNION ALL ${many(5_000, () => 'SELECT 1 FROM c', ' UNION ALL ')}`,
  ],
  ['expressions of one name', many(4_500, () => 'WITH c AS (SELECT 1) SELECT * FROM c', ' UNION ALL ')],
  ['tables', `SELECT 1 FROM ${many(30_000, at => `t${at}`, ', ')}`],
])(
  'SQL of maximum length with as many %s as fit does not block the server',
  async (_, sql) => {
    await warehouse.bindSelect({ workspace: 'default', sql: 'SELECT 1 FROM t' })
    const bind = () => warehouse.bindSelect({ workspace: 'default', sql }).catch(() => {})
    expect(await longestBlockOf(bind)).toBeLessThan(1000)
  },
  120_000,
)
