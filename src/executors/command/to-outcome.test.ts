import { describe, expect, test } from 'vitest'
import type { CommandEnd } from './launcher.ts'
import { toOutcome } from './to-outcome.ts'

const ended = (change: Partial<Extract<CommandEnd, { is: 'ended' }>>): CommandEnd => ({
  is: 'ended',
  ticket: 1,
  exitCode: 0,
  signal: null,
  cause: null,
  left: 0,
  ...change,
})
const told = { stopped: true, program: 'p', workingDir: '/w' }
const free = { ...told, stopped: false }

describe('the first cause wins', () => {
  test('a command that ended before it was told to stop keeps its own outcome', () => {
    expect(toOutcome({ ...told, end: ended({ exitCode: 3 }) })).toMatchObject({ reason: 'exit_code' })
    expect(toOutcome({ ...told, end: ended({}) }).type).toBe('completed')
  })

  test('a command that was told to stop first is stopped, however it ended', () => {
    expect(toOutcome({ ...told, end: ended({ cause: 'order' }) }).type).toBe('stopped')
    expect(toOutcome({ ...told, end: ended({ cause: 'order', exitCode: 1 }) }).type).toBe('stopped')
  })

  test('a lost launcher is a system failure, unless the attempt was told to stop', () => {
    expect(toOutcome({ ...free, end: { is: 'lost' } })).toMatchObject({ failure: 'system', reason: 'launcher_lost' })
    expect(toOutcome({ ...told, end: { is: 'lost' } })).toEqual({ type: 'stopped' })
  })
})

test.each([
  ['program', 'ENOENT', 'user', 'command_not_found'],
  ['program', 'ENOEXEC', 'user', 'command_not_found'],
  ['program', 'E2BIG', 'user', 'command_not_found'],
  ['working_dir', 'EACCES', 'user', 'working_dir_missing'],
  ['program', 'EAGAIN', 'system', 'spawn_failed'],
  ['program', 'ENOMEM', 'system', 'spawn_failed'],
  ['program', 'EMFILE', 'system', 'spawn_failed'],
] as const)('a failed start because of the %s with %s is a %s failure: %s', (what, error, failure, reason) => {
  const end: CommandEnd = { is: 'refused', ticket: 1, error, what }
  expect(toOutcome({ ...free, end })).toMatchObject({ type: 'failed', failure, reason })
})
