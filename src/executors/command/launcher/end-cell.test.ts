import { expect, test } from 'vitest'
import type { Cell } from './containment.ts'
import { endCell } from './end-cell.ts'

test('members that cannot be listed because too many files are open are killed once they can be', async () => {
  const done: string[] = []
  const refused = (): never => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  }
  const members = (): readonly number[] => (done.length < 4 ? refused() : [])
  const cell = {
    strike: () => {
      done.push('strike')
      if (done.length < 3) refused()
    },
    members,
  } as Partial<Cell> as Cell
  expect(await endCell(cell)).toBe(0)
  expect(done).toHaveLength(4)
})
