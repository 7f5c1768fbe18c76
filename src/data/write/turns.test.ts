import { expect, test } from 'vitest'
import { isTurn } from './turns.ts'

test('turns start after ten seconds, and both turns and gaps double each time', () => {
  const edges: number[] = []
  for (let second = 0; second < 700; second++)
    if (isTurn(second * 1000) !== isTurn((second - 1) * 1000)) edges.push(second)
  expect(edges).toEqual([10, 20, 40, 80, 160, 320, 640])
})
