import { expect, test } from 'vitest'
import { createMatchedTables } from './matched-tables.ts'

/** Tables that are matched, in a test that changes the life of the engine and lets matches fail. */
const scene = () => {
  const engine = { life: 0 }
  const matched = createMatchedTables({ life: () => engine.life })
  const isAsked = async (version: number, tables: readonly string[], fails = false): Promise<boolean> => {
    let asked = false
    const match = async () => {
      asked = true
      if (fails) throw new Error('the engine is away')
    }
    await matched.ensure('w', version, tables, match).catch(() => {})
    return asked
  }
  return { engine, matched, isAsked }
}

test('tables are matched once for a version of the catalogue, and each of them', async () => {
  const { isAsked } = scene()
  expect(await isAsked(1, ['a'])).toBe(true)
  expect(await isAsked(1, ['a'])).toBe(false)
  expect(await isAsked(1, ['a', 'b'])).toBe(true)
  expect(await isAsked(1, ['b'])).toBe(false)
  expect(await isAsked(2, ['b'])).toBe(true)
})

test('tables are matched again after a failure, after the engine ended, and if they are to be forgotten', async () => {
  const { engine, matched, isAsked } = scene()
  expect(await isAsked(1, ['a'], true)).toBe(true)
  expect(await isAsked(1, ['a'])).toBe(true)
  engine.life++
  expect(await isAsked(1, ['a'])).toBe(true)
  matched.forget('w')
  expect(await isAsked(1, ['a'])).toBe(true)
  expect(await isAsked(1, ['a'])).toBe(false)
})
