import { expect, test } from 'vitest'
import { isTurn } from './turns.ts'

test('turns come after ten seconds, each twice as long as the one before, and as far apart', () => {
  const edges: number[] = []
  for (let second = 0; second < 700; second++)
    if (isTurn(second * 1000) !== isTurn((second - 1) * 1000)) edges.push(second)
  expect(edges).toEqual([10, 20, 40, 80, 160, 320, 640])
})
