import { expect, test } from 'vitest'
import { openAnswer, sealAnswer } from './sealed-answer.ts'

test('a sealed answer can be opened by the token that asked and by no other', () => {
  const kept = sealAnswer('{"token":"mr_secret"}', 'mr_asker')
  expect(openAnswer(kept, 'mr_asker')).toBe('{"token":"mr_secret"}')
  expect(openAnswer(kept, 'mr_other')).toBeNull()
})

test('a sealed answer reveals nothing, and differs each time', () => {
  const kept = sealAnswer('mr_secret', 'mr_asker')
  expect(Buffer.from(JSON.parse(kept).sealed, 'base64').toString('latin1')).not.toContain('mr_secret')
  expect(sealAnswer('mr_secret', 'mr_asker')).not.toBe(kept)
})
