import { expect, test } from 'vitest'
import { mergeItem } from './merge-item.ts'

const all = { environment: true, parameters: true }
const hook = { type: 'webhook', url: 'https://a.example' } as const

test('the item’s environment overrides the workflow’s, and the trigger’s parameters override the item’s', () => {
  const item = { api: 'f', environment: { A: 'item' }, parameters: { page: 1, size: 2 } }
  const shared = { environment: { A: 'workflow', B: 'workflow' }, sinks: undefined, parameters: { page: 9 } }
  expect(mergeItem(item, all, shared)).toEqual({
    api: 'f',
    environment: { A: 'item', B: 'workflow' },
    parameters: { page: 9, size: 2 },
  })
})

test('a kind without environment and parameters is left as it is', () => {
  const item = { http: { url: 'https://a.example' } }
  const shared = { environment: { A: '1' }, sinks: undefined, parameters: { page: 9 } }
  expect(mergeItem(item, { environment: false, parameters: false }, shared)).toEqual(item)
})

test('the item’s own sinks replace the workflow’s, and each keeps its index', () => {
  const sinks = [hook, { ...hook, apis_to_send: ['g'] }, { ...hook, apis_to_send: ['f', 'g'] }]
  const shared = { environment: undefined, parameters: undefined, sinks }
  expect(mergeItem({ api: 'f' }, all, shared).sinks).toEqual(sinks)
  expect(mergeItem({ command: 'x' }, all, shared).sinks).toEqual(sinks)
  expect(mergeItem({ api: 'f', sinks: [hook] }, all, shared).sinks).toEqual([hook])
  expect(mergeItem({ api: 'f', sinks: [] }, all, shared).sinks).toEqual([])
})

test('values of wrong types are left for the check', () => {
  const shared = { environment: { A: '1' }, sinks: undefined, parameters: { page: 9 } }
  const item = { command: 'x', environment: 'A=1', parameters: 5, sinks: [7] }
  expect(mergeItem(item, all, shared)).toEqual(item)
})
