import { expect, test } from 'vitest'
import { MillraceError } from '../kernel/errors.ts'
import { storageFailure } from './storage-failure.ts'

test('an unavailable blob store is a system failure, with its message', () => {
  expect(storageFailure(new MillraceError('storage_unavailable', 'The bucket is gone.'))).toEqual({
    type: 'failed',
    failure: 'system',
    reason: 'storage_unavailable',
    message: 'The bucket is gone.',
  })
})

test.each([Object.assign(new Error('no space'), { code: 'ENOSPC' }), new MillraceError('insufficient_storage')])(
  'a full disk is a user failure: %s',
  error => {
    expect(storageFailure(error)).toMatchObject({ failure: 'user', reason: 'disk_full' })
  },
)

test.each([new MillraceError('too_large'), new Error('other'), 'cancelled', undefined])('%s is neither', error => {
  expect(storageFailure(error)).toBeNull()
})
