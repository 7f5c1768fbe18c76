import { expect, test } from 'vitest'
import { isOfSet, markDefinition } from './mark.ts'

test('the set is added to the labels of the file, and $schema is not sent', () => {
  const sent = markDefinition({ $schema: 'x', name: 'a', labels: { team: 'data' } }, 'nightly')
  expect(sent).toEqual({ name: 'a', labels: { team: 'data', 'millrace.set': 'nightly' } })
  expect(isOfSet(sent, 'nightly')).toBe(true)
  expect(isOfSet(sent, 'default')).toBe(false)
})

test('labels of the wrong type are left for the server to refuse', () => {
  expect(markDefinition({ labels: ['a'] }, 'x')).toEqual({ labels: ['a'] })
})

test.each([{}, { labels: null }, { labels: { team: 'a' } }])('%j was not applied from files', workflow => {
  expect(isOfSet(workflow, 'default')).toBe(false)
})
