import { expect, test } from 'vitest'
import { mostConnections } from './most-connections.ts'

const limits = (files: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${files.padEnd(20)} 524288               files     \n`

test.each([
  ['1024', 512],
  ['524288', 16_384],
  ['unlimited', 16_384],
  ['1', 1],
])('of %s open files connections may be %d', (files, most) => {
  expect(mostConnections(limits(files))).toBe(most)
})

test('where the system does not tell there is a limit all the same', () => {
  expect(mostConnections(null)).toBe(16_384)
})
