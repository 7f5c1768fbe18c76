import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { confirm } from './confirm.ts'
import type { CliContext } from './context.ts'

const terminal = (isTTY = true) => {
  const stdin = Object.assign(new PassThrough(), { isTTY })
  const stderr = Object.assign(new PassThrough(), { isTTY })
  const said: string[] = []
  stderr.on('data', chunk => said.push(String(chunk)))
  return { stdin, said, context: { stdin, stderr } as unknown as CliContext }
}

test.each([
  ['y\n', true],
  ['YES\n', true],
  [' yes \n', true],
  ['\n', false],
  ['n\n', false],
  ['yep\n', false],
])('the answer %j is %s', async (typed, expected) => {
  const { stdin, said, context } = terminal()
  const answer = confirm(context, 'Change 3 workflows?')
  stdin.write(typed)
  expect(await answer).toBe(expected)
  expect(said.join('')).toContain('Change 3 workflows? [y/N]')
})

test('the end of input is a no', async () => {
  const { stdin, context } = terminal()
  const answer = confirm(context, 'Sure?')
  stdin.end()
  expect(await answer).toBe(false)
})

test('without a terminal nothing is asked', async () => {
  await expect(confirm(terminal(false).context, 'Sure?')).rejects.toMatchObject({ exitCode: 1 })
})
