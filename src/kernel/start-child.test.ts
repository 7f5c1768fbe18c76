import { execFileSync } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { startChild } from './start-child.ts'

test('a program is started with pipes for its standard streams', async () => {
  const child = await startChild('/bin/cat', [], { cwd: '/' })
  child.stdin.end('hello')
  expect(await text(child.stdout)).toBe('hello')
})

test('a missing program rejects', async () => {
  await expect(startChild('/nowhere/at-all', [], {})).rejects.toMatchObject({ code: 'ENOENT' })
})

/** Uses up the descriptors of a process, and starts a program before and after they are free again. */
const WITHOUT_DESCRIPTORS = `
  import { closeSync, openSync } from 'node:fs'
  import { startChild } from ${JSON.stringify(new URL('./start-child.ts', import.meta.url).href)}
  await (await startChild('/bin/true', [], {})).stdin.end()
  const taken = []
  try { for (;;) taken.push(openSync('/dev/null')) } catch {}
  const refused = await startChild('/bin/true', [], {}).then(() => null, error => error.code)
  for (const descriptor of taken) closeSync(descriptor)
  const { pid } = await startChild('/bin/true', [], {})
  console.log(JSON.stringify({ refused, later: pid > 0 }))`

test('a start without a free descriptor rejects, and the process keeps running', () => {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e']
  const argv = ['-c', 'ulimit -n 64 && exec "$@"', 'sh', ...node, WITHOUT_DESCRIPTORS]
  expect(JSON.parse(execFileSync('/bin/sh', argv, { encoding: 'utf8' }))).toEqual({ refused: 'EMFILE', later: true })
})
