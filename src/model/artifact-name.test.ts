import { posix } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { artifactNameFault } from './artifact-name.ts'

test.each(['report.csv', 'out/2026/report.csv', '..hidden', 'a..b/…/ü.txt', ' with spaces ', '...', 'x'.repeat(1024)])(
  '%j is a name',
  name => expect(artifactNameFault(name)).toBe(null),
)

test.each([
  ['', 'empty'],
  ['..', 'segment'],
  ['.', 'segment'],
  ['a/../b', 'segment'],
  ['../../etc/passwd', 'segment'],
  ['a/./b', 'segment'],
  ['/etc/passwd', 'relative'],
  ['C:/windows', 'relative'],
  ['c:x', 'relative'],
  ['a//b', 'empty segment'],
  ['a/', 'empty segment'],
  ['a\\b', 'backslash'],
  ['..\\..\\x', 'backslash'],
  ['a\0b', 'control'],
  ['a\nb', 'control'],
  ['a\u007fb', 'control'],
  ['a\u0085b', 'control'],
  ['a\u2028b', 'control'],
  ['\ud800', 'Unicode'],
  ['x'.repeat(1025), '1024'],
  ['ü'.repeat(513), '1024'],
])('%j is refused with a message about %s', (name, word) => expect(artifactNameFault(name)).toContain(word))

test('no accepted name leaves its folder, in any spelling', () => {
  const piece = fc.constantFrom('..', '.', '/', '//', '\\', 'a', 'C:', '%2e', '\0', ' ', 'ü')
  const names = fc.oneof(
    fc.array(piece, { maxLength: 8 }).map(pieces => pieces.join('')),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(names, name => {
      if (artifactNameFault(name) !== null) return
      expect(posix.resolve('/jobs/1', name)).toBe(`/jobs/1/${name}`)
    }),
    { numRuns: 2000 },
  )
})
