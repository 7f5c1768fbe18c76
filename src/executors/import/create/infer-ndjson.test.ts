import { expect, test } from 'vitest'
import { readObjects } from './infer-ndjson.ts'

const sample = (text: string) => ({ bytes: Buffer.from(text), isWhole: true, size: text.length })

test('objects are read line by line, and what is none is left out', () => {
  const lines = [' {"a":1} ', '', '[{"a":2}]', '{"a":3', '{"a":4},', '{x}', '"{}"', '{"a":"}"}\r']
  const read = readObjects(sample(lines.join('\n')))
  expect(JSON.parse(JSON.stringify(read.map(({ a }) => String((a as { text?: string }).text ?? a))))).toEqual([
    '1',
    '4',
    '}',
  ])
})

test.each(['\n', ' \n', '"\n', '{\n', '[\n', '}\n'])('a megabyte of %j is looked at in no time', line => {
  const content = sample(line.repeat(1_000_000 / line.length))
  const begun = performance.now()
  expect(readObjects(content)).toEqual([])
  expect(performance.now() - begun).toBeLessThan(3_000)
})
