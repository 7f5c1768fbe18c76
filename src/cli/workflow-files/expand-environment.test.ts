// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts with such places are what is tested
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expandEnvironment } from './expand-environment.ts'

const expand = (value: unknown) => expandEnvironment(value, { TOKEN: 's3cret', EMPTY: '', NESTED: '${TOKEN}' })

test('a reference is replaced wherever it is in a text, repeatedly, and its path is recorded', () => {
  const { value, filled, values, faults } = expand({
    environment: { A: '${TOKEN}', B: 'x ${TOKEN}/${TOKEN} y', C: '${EMPTY}' },
    sinks: [{ headers: { Authorization: 'Bearer ${TOKEN}' } }],
    count: 3,
  })
  expect(value).toEqual({
    environment: { A: 's3cret', B: 'x s3cret/s3cret y', C: '' },
    sinks: [{ headers: { Authorization: 'Bearer s3cret' } }],
    count: 3,
  })
  expect([...filled]).toEqual(['environment.A', 'environment.B', 'environment.C', 'sinks.0.headers.Authorization'])
  expect([...values]).toEqual([
    ['s3cret', 'TOKEN'],
    ['', 'EMPTY'],
  ])
  expect(faults).toEqual([])
})

test('a variable that is not set is reported with its path', () => {
  expect(expand({ a: ['${NOT_SET}', '${TOKEN}${ALSO_NOT}'] }).faults).toEqual([
    { path: 'a.0', name: 'NOT_SET' },
    { path: 'a.1', name: 'ALSO_NOT' },
  ])
})

test('$$ escapes a reference, and replaced text is not expanded again', () => {
  const { value, filled, faults } = expand({ a: '$${TOKEN} $${A:-b} $${', b: '$TOKEN $ $1 {x} $$', c: '${NESTED}' })
  expect(value).toEqual({ a: '${TOKEN} ${A:-b} ${', b: '$TOKEN $ $1 {x} $$', c: '${TOKEN}' })
  expect([...filled]).toEqual(['c'])
  expect(faults).toEqual([])
})

test.each(['${TOKEN:-x}', '${MY VAR}', '${1}', '${', 'a ${TOKEN', '${}', '${ TOKEN}'])(
  '%j is neither a reference nor an escape, and is reported with its path',
  text => {
    expect(expand({ a: 'x', b: [text] }).faults).toEqual([{ path: 'b.0', name: null }])
  },
)

test('commands, their stdin and queries keep their own ${…}, parameters with such names do not', () => {
  const item = { command: ['sh', '-c', 'echo ${TOKEN}'], stdin: '${TOKEN}', environment: { command: '${TOKEN}' } }
  const { value } = expand({ payload: [item, { api: 'f', parameters: { query: '${TOKEN}' } }], command: '${EMPTY}' })
  expect(value).toEqual({
    payload: [
      { command: ['sh', '-c', 'echo ${TOKEN}'], stdin: '${TOKEN}', environment: { command: 's3cret' } },
      { api: 'f', parameters: { query: 's3cret' } },
    ],
    command: '',
  })
})

test('a definition without references is returned unchanged', () => {
  fc.assert(
    fc.property(
      fc.jsonValue().filter(value => !JSON.stringify(value).includes('${')),
      value => {
        expect(JSON.stringify(expand(value).value)).toEqual(JSON.stringify(value))
      },
    ),
  )
})
