import { afterAll, beforeAll, expect, test } from 'vitest'
import { api, inProcess, type ServeProcess, startServe } from './millrace.ts'

/** Sequences that a terminal would obey: its window title, a colour, its clipboard, and the same with 8-bit control characters. */
const HOSTILE = '\u001b]0;other\u0007\u001b[31m\u001b]52;c;ZXZpbA==\u001b\\\u009b2J'

let server: ServeProcess
beforeAll(async () => {
  server = await startServe(['--shutdown-grace', '1s'])
})
afterAll(async () => {
  await server?.stop()
})

/** Everything that a command prints for people, which must contain `shows` and nothing that moves the cursor. */
const printed = async (args: readonly string[], shows: string): Promise<void> => {
  const { stdout, stderr } = await inProcess(args, { cwd: server.cwd })
  const text = `${stdout}${stderr}`
  expect(text).toContain(shows)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is about
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
}

test('control characters in a description and in SQL do not reach the terminal', async () => {
  const nodes = [{ name: 'rows', sql: `SELECT 'seen ${HOSTILE}' AS a` }]
  await api(server.cwd, 'POST', '/v1/pipes', { name: 'hostile', description: `seen ${HOSTILE}`, nodes })
  await printed(['pipes', 'show', 'hostile'], "'seen")
  await printed(['pipes', 'list'], 'hostile')
})

test('control characters in a workflow do not reach the terminal', async () => {
  const payload = [{ command: `echo seen ${HOSTILE}` }]
  await api(server.cwd, 'POST', '/v1/workflows', { name: 'hostile', description: HOSTILE, payload })
  await printed(['workflows', 'show', 'hostile'], 'echo seen ')
})

test('control characters in the columns or errors of a query do not reach the terminal', async () => {
  await printed(['query', `SELECT 'seen ${HOSTILE}' AS \`a${HOSTILE}\``], 'seen')
  await printed(['query', `SELECT throwIf(1, 'seen ${HOSTILE}')`], 'seen')
})

test('control characters in the name or progress of a job do not reach the terminal', async () => {
  const message = JSON.stringify({ message: `seen ${HOSTILE}` })
  const post = 'curl -sf -X POST -H "authorization: Bearer $MILLRACE_TOKEN" -H "content-type: application/json"'
  const command = `${post} -d '${message}' "$MILLRACE_URL/v1/jobs/$MILLRACE_JOB_ID/progress"`
  const { job_id } = await api(server.cwd, 'POST', '/v1/jobs', { command, name: 'a\u009b2J' })
  await printed(['job', job_id, '--wait'], 'seen')
  await printed(['jobs'], job_id)
})
