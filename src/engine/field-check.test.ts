import Type from 'typebox'
import { expect, test } from 'vitest'
import { createFieldCheck } from './field-check.ts'

test('similar names are looked up for a limited number of unknown fields', () => {
  const check = createFieldCheck(Type.Object({ retry: Type.String(), name: Type.String() }))
  const body = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`retries_${at}`, 1]))
  const errors = check.errors({ retry: '', name: '', ...body })
  expect(errors).toHaveLength(1000)
  expect(errors[99]).toEqual({ path: 'retries_99', message: 'is not a known field; did you mean retry?' })
  expect(errors[100]).toEqual({ path: 'retries_100', message: 'is not a known field' })
})
