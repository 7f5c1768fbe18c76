import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { findImportFaults } from '../../scripts/check-imports.ts'

const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

const faultsOf = (files: Readonly<Record<string, string>>): readonly string[] => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-imports-'))
  roots.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return findImportFaults(root)
}

test('the sources of this repository follow the direction of imports', () => {
  expect(findImportFaults(resolve(import.meta.dirname, '../..'))).toEqual([])
})

test('imports that go down are allowed, including types, multi-line and dynamic ones', () => {
  expect(
    faultsOf({
      'src/kernel/a.ts': 'export const a = 1',
      'src/model/b.ts': "import type {\n  A,\n} from '../kernel/a.ts'\nexport { a } from '../kernel/a.ts'",
      'src/cli/main.ts': "await import('../model/b.ts')\nconst x = process.env.HOME",
    }),
  ).toEqual([])
})

test.each([
  ['an import that goes up', 'src/kernel/a.ts', "import { b } from '../model/b.ts'", 'model, which is above it'],
  ['an import of a type that goes up', 'src/model/a.ts', "import type { S } from '../store/s.ts'", 'above it'],
  ['an export from above', 'src/logs/a.ts', "export * from '../engine/e.ts'", 'above it'],
  ['a dynamic import that goes up', 'src/engine/a.ts', "await import('../http/app.ts')", 'above it'],
  ['an import for its side effect', 'src/http/a.ts', "import '../cli/main.ts'", 'above it'],
  ['an import of a sibling', 'src/store/a.ts', "import { b } from '../blobs/b.ts'", 'siblings'],
  ['one database of another', 'src/store/sqlite/a.ts', "import { b } from '../postgres/b.ts'", 'siblings'],
  ['one kind of another', 'src/executors/http/a.ts', "import { b } from '../command/b.ts'", 'siblings'],
  ['an import from outside src', 'src/kernel/a.ts', "import { b } from '../../test/b.ts'", 'below src/'],
  ['an unknown layer', 'src/utils/a.ts', "import { b } from '../kernel/b.ts'", 'not in the layer table'],
  ['the environment', 'src/http/a.ts', 'export const home = process.env.HOME', 'reads process.env'],
])('%s is a fault', (_name, path, text, fault) => {
  const faults = faultsOf({ [path]: text })
  expect(faults).toHaveLength(1)
  expect(faults[0]).toContain(path)
  expect(faults[0]).toContain(fault)
})

test('an import in a comment or a test is no fault', () => {
  expect(
    faultsOf({
      'src/kernel/a.ts': "/** Never process.env. */\nexport const a = 1 // import x from '../model/b.ts'",
      'src/kernel/a.test.ts': "import { b } from '../engine/b.ts'\nprocess.env.X = '1'",
    }),
  ).toEqual([])
})

test('a cycle is a fault that names every file', () => {
  expect(
    faultsOf({
      'src/model/a.ts': "import { b } from './b.ts'",
      'src/model/b.ts': "import { c } from './c.ts'",
      'src/model/c.ts': "import { a } from './a.ts'",
    }),
  ).toEqual(['import cycle: src/model/a.ts > src/model/b.ts > src/model/c.ts > src/model/a.ts'])
})

test('a cycle through type imports only is allowed', () => {
  expect(
    faultsOf({
      'src/model/a.ts': "import { b } from './b.ts'",
      'src/model/b.ts': "import type {\n  A,\n} from './a.ts'",
    }),
  ).toEqual([])
})
