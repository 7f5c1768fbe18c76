import { expect, test } from 'vitest'
import { cpuTimeOf, NOISE_MICROSECONDS } from '../../../../test/growth.ts'
import { readObjects } from './infer-ndjson.ts'

const sample = (text: string) => ({ bytes: Buffer.from(text), isWhole: true, size: text.length })

test('objects are read line by line, and other lines are left out', () => {
  const lines = [' {"a":1} ', '', '[{"a":2}]', '{"a":3', '{"a":4},', '{x}', '"{}"', '{"a":"}"}\r']
  const read = [...readObjects(sample(lines.join('\n')))]
  expect(JSON.parse(JSON.stringify(read.map(({ a }) => String((a as { text?: string }).text ?? a))))).toEqual([
    '1',
    '4',
    '}',
  ])
})

test.each(['\n', ' \n', '"\n', '{\n', '[\n', '}\n'])('a line of %j takes no longer than an object', async line => {
  const [lines, objects] = [line, '{}\n'].map(text => sample(text.repeat(100_000)))
  expect([...readObjects(lines!)]).toEqual([])
  const [taken, usual] = [
    await cpuTimeOf(() => [...readObjects(lines!)]),
    await cpuTimeOf(() => [...readObjects(objects!)]),
  ]
  expect(taken).toBeLessThan(2 * Math.max(usual, NOISE_MICROSECONDS))
})
