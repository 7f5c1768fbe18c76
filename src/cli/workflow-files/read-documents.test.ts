import { expect, test } from 'vitest'
import { readDocuments } from './read-documents.ts'

test('every non-empty document of a YAML file is a workflow, with the lines of its fields', () => {
  const text = [
    '# comment',
    '---',
    'name: a',
    'payload:',
    '  - command: echo 1',
    '  - command: echo 2',
    '    environment: {A.B: x}',
    '---',
    '---',
    'name: b',
    '',
  ].join('\n')
  const { documents, faults } = readDocuments('w.yaml', text)
  expect(faults).toEqual([])
  expect(documents.map(one => one.definition.name)).toEqual(['a', 'b'])
  const [a, b] = documents
  expect([a!.line, b!.line]).toEqual([3, 10])
  expect(a!.lineOf('payload.1.command')).toBe(6)
  expect(a!.lineOf('payload.1.environment.A.B')).toBe(7)
  expect(a!.lineOf('payload.1.timeout_seconds')).toBe(6)
  expect(a!.lineOf('nothing')).toBe(3)
  expect(b!.lineOf('name')).toBe(10)
})

test('anchors and merge keys work, and times stay strings', () => {
  const { documents } = readDocuments(
    'w.yml',
    'base: &b {image: x, memory: 1GiB}\nitem: {<<: *b, memory: 2GiB}\nat: 2026-11-22T00:00:00Z\n',
  )
  expect(documents[0]!.definition).toMatchObject({
    item: { image: 'x', memory: '2GiB' },
    at: '2026-11-22T00:00:00Z',
  })
})

test('JSON is read with the lines of its fields', () => {
  const { documents } = readDocuments('w.json', '{\n\t"name": "a",\n\t"payload": [\n\t\t{"command": "x"}\n\t]\n}\n')
  expect(documents).toHaveLength(1)
  expect(documents[0]!.definition).toEqual({ name: 'a', payload: [{ command: 'x' }] })
  expect(documents[0]!.lineOf('payload.0.command')).toBe(4)
})

test.each([
  ['w.yaml', 'name: a\npayload: [\n', /^is not YAML: /, 3],
  ['w.yaml', 'name: a\nname: b\n', /unique/, 2],
  ['w.yaml', '- 1\n', /must be an object/, 1],
  ['w.yaml', 'just text\n', /must be an object/, 1],
  ['w.yaml', 'a: *nowhere\n', /nowhere/, 1],
  ['w.json', '{"name": }', /^is not JSON: /, null],
  ['w.json', '{"name": "a",\n"name": "b"}', /twice/, 2],
  ['w.json', '[]', /must be an object/, 1],
  ['w.json', '', /^is not JSON/, null],
] as const)('%s with %j is a fault with its line', (file, text, message, line) => {
  const { documents, faults } = readDocuments(file, text)
  expect(documents).toEqual([])
  expect(faults).toHaveLength(1)
  expect(faults[0]!.message).toMatch(message)
  expect(faults[0]!.line).toBe(line)
})

test.each([
  ['w.yaml', 'name: a\npayload:\n  - parameters:\n      id: 12345678901234567890\n', 'payload.0.parameters.id', 4],
  [
    'w.json',
    '{"name": "a",\n"payload": [{"parameters": {"ids": [1, 12345678901234567890]}}]}',
    'payload.0.parameters.ids.1',
    2,
  ],
  ['w.yaml', 'name: a\nlimit: 0xFFFFFFFFFFFFFFFF\n', 'limit', 2],
  ['w.yaml', 'name: a\nlimit: .inf\n', 'limit', 2],
] as const)('%s with a number that a double cannot hold is a fault with its line: %j', (file, text, field, line) => {
  const { documents, faults } = readDocuments(file, text)
  expect(documents).toEqual([])
  expect(faults).toMatchObject([{ field, line, message: expect.stringContaining('send it as a text') }])
})

test.each(['name: a\nlabels:\n  ? {b: c}\n  : d\n', 'name: a\nx: &x [1]\nlabels:\n  *x : d\n'])(
  'a key that is a list or a map is a fault, not a warning of Node: %j',
  text => {
    const { documents, faults } = readDocuments('w.yaml', text)
    expect(documents).toEqual([])
    expect(faults).toMatchObject([
      { field: 'labels', message: expect.stringContaining('name that is a list or a map') },
    ])
  },
)

test('one wrong document does not hide others', () => {
  const { documents, faults } = readDocuments('w.yaml', 'name: a\n---\n- x\n---\nname: c\n')
  expect(documents.map(one => one.definition.name)).toEqual(['a', 'c'])
  expect(faults.map(fault => fault.line)).toEqual([3])
})

test('a few lines that would expand into millions are refused', () => {
  const levels = ['a: &a [x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 9; level++) {
    const [previous, name] = [String.fromCharCode(96 + level), String.fromCharCode(97 + level)]
    levels.push(`${name}: &${name} [${Array(9).fill(`*${previous}`).join(', ')}]`)
  }
  const { documents, faults } = readDocuments('bomb.yaml', levels.join('\n'))
  expect(documents).toEqual([])
  expect(faults[0]!.message).toMatch(/alias/)
})

test('an empty file holds no workflow and no fault', () => {
  expect(readDocuments('w.yaml', '# nothing yet\n')).toEqual({ documents: [], faults: [] })
})
