import { expect, test } from 'vitest'
import { startTestServer } from '../server.ts'

test.each(['docker', 'kubernetes'])('a server told to run commands in mode %s refuses to start', async mode => {
  await expect(startTestServer({ settings: { 'worker-mode': mode } })).rejects.toThrow(
    /local processes only; use auto or local/,
  )
})

test.each(['auto', 'local'])('in mode %s commands are local processes', async mode => {
  const server = await startTestServer({ settings: { 'worker-mode': mode } })
  expect((await server.run({ command: 'exit 0' })).status).toBe('completed')
  await server.stop()
})
