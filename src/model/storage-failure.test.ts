import { expect, test } from 'vitest'
import { MillraceError } from '../kernel/errors.ts'
import { storageFailure } from './storage-failure.ts'

test('a blob store that is away is a failure of the system, in its words', () => {
  expect(storageFailure(new MillraceError('storage_unavailable', 'The bucket is gone.'))).toEqual({
    type: 'failed',
    failure: 'system',
    reason: 'storage_unavailable',
    message: 'The bucket is gone.',
  })
})

test.each([Object.assign(new Error('no space'), { code: 'ENOSPC' }), new MillraceError('insufficient_storage')])(
  'a full disk stays a failure of the user: %s',
  error => {
    expect(storageFailure(error)).toMatchObject({ failure: 'user', reason: 'disk_full' })
  },
)

test.each([new MillraceError('too_large'), new Error('other'), 'cancelled', undefined])('%s is neither', error => {
  expect(storageFailure(error)).toBeNull()
})
