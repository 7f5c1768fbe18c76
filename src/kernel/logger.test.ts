import { spawnSync } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MillraceError } from './errors.ts'
import { loggedError } from './logger.ts'

test('an unavailable dependency is logged in one sentence, a bug with its stack', () => {
  const cause = new Error('connect ECONNREFUSED')
  expect(loggedError(new MillraceError('unavailable', `Away: ${cause.message}`, { cause }))).toEqual({
    type: 'MillraceError',
    code: 'unavailable',
    message: 'Away: connect ECONNREFUSED',
  })
  expect(loggedError(new TypeError('x is no function'))).toMatchObject({
    type: 'TypeError',
    stack: expect.stringContaining('logger.test.ts'),
  })
})

test.skipIf(!existsSync('/dev/full'))('a log on a full disk does not crash the program', () => {
  const program = `
    const { createLogger } = await import(${JSON.stringify(new URL('./logger.ts', import.meta.url).href)})
    const logger = createLogger('info')
    for (let line = 0; line < 3; line++) {
      logger.info('it goes nowhere')
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    process.stdout.write('alive')`
  const full = openSync('/dev/full', 'w')
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', full],
    timeout: 30_000,
  })
  expect(stdout.toString()).toBe('alive')
})
