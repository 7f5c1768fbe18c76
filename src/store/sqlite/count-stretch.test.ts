import { expect, test } from 'vitest'
import { countStretch } from './count-stretch.ts'
import { Database } from './database.ts'

test('a long list is counted completely, one stretch of rows after the other', () => {
  const db = new Database(':memory:', { readOnly: false, pragmas: [] })
  db.exec('CREATE TABLE thing (position INTEGER PRIMARY KEY, owner TEXT, kind TEXT)')
  db.exec(`INSERT INTO thing WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
    SELECT i, iif(i % 10 = 0, 'other', 'own'), iif(i % 3 = 0, 'c', 'ab') FROM n`)
  let count = 0
  let stretches = 0
  for (let before: number | null | undefined; before !== null; stretches++) {
    const stretch = countStretch(db, {
      from: 'thing',
      position: 'position',
      within: { sql: 'owner = ?', values: ['own'] },
      condition: { sql: 'kind = ?', values: ['c'] },
      before: before ?? null,
    })
    count += stretch.count
    before = stretch.next
  }
  expect([count, stretches]).toEqual([15_000, 3])
  db.close()
})
