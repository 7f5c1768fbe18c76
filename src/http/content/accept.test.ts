import { expect, test } from 'vitest'
import { chooseType } from './accept.ts'

const OFFERED = ['application/json', 'text/plain', 'text/event-stream'] as const

test.each([
  [undefined, 'application/json'],
  ['', 'application/json'],
  ['*/*', 'application/json'],
  ['text/plain', 'text/plain'],
  ['TEXT/PLAIN; charset=utf-8', 'text/plain'],
  ['text/*', 'text/plain'],
  ['text/html, */*;q=0.1', 'application/json'],
  ['application/json;q=0.2, text/plain;q=0.8', 'text/plain'],
  ['text/*;q=0.5, text/event-stream', 'text/event-stream'],
  ['*/*, application/json;q=0', 'text/plain'],
  ['text/html', null],
  ['application/json;q=0', null],
  [';;;,,q=', null],
])('Accept: %s chooses %s', (header, expected) => {
  expect(chooseType(header, OFFERED)).toBe(expected)
})
