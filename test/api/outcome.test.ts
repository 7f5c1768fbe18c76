import { describe, expect, test } from 'vitest'
import { useFunctions } from './functions.ts'

describe('a function', () => {
  const { run, write } = useFunctions()

  test('gets its parameters, and what it returns is the result as JSON', async () => {
    write('add.ts', 'export default async ({ a, b }: { a: number; b: number }) => ({ sum: a + b })')
    const { outcome, result } = await run('add', { parameters: { a: 2, b: 3 } })
    expect(outcome).toEqual({ type: 'completed', result: expect.anything() })
    expect(result).toEqual({ sum: 5 })
  })
})
