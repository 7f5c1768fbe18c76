import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { REPORT } from '../../src/executors/api/host-protocol.ts'
import { useFunctions } from './functions.ts'

/** A function that knows the protocol between host and server, and sends messages itself. */
const FORGE = `
  import { openSync, readFileSync, writeSync } from 'node:fs'
  const { reports } = JSON.parse(readFileSync('/proc/self/cmdline', 'latin1').split('\\0').at(-2))
  const pipe = openSync(reports, 'w')
  const frame = ([type, item, text]) => {
    const payload = Buffer.from(text)
    const head = Buffer.alloc(9)
    head.writeUInt8(type, 0)
    head.writeUInt32LE(item, 1)
    head.writeUInt32LE(payload.length, 5)
    return Buffer.concat([head, payload])
  }
  export default async ({ frames, waits }) => {
    const bytes = Buffer.concat(frames.map(frame))
    for (let at = 0; at < bytes.length; ) at += writeSync(pipe, bytes, at)
    if (waits) await new Promise(resolve => setTimeout(resolve, 60_000))
  }`

describe.skipIf(process.platform !== 'linux')('a function that forges the reports of its host', () => {
  const { run, write, dataDir } = useFunctions({ hosts: 1 })
  const forge = (frames: readonly unknown[], changes: Parameters<typeof run>[2] = {}) => {
    write('forge.js', FORGE)
    return run('forge', { parameters: { frames, waits: true } }, changes)
  }

  test('cannot have a file of the server stored as its artifact', async () => {
    writeFileSync(join(dataDir, 'secret-key'), 'of the server')
    const kept: string[] = []
    const call = { do: 'artifact', name: 'key', call: '/../../../secret-key' }
    const { outcome } = await forge(
      [
        [REPORT.call, 1, JSON.stringify(call)],
        [REPORT.result, 1, 'null'],
        [REPORT.dirty, 1, ''],
      ],
      {
        addArtifact: async ({ path }) => {
          kept.push(path)
          return 'added'
        },
      },
    )
    expect(kept).toEqual([])
    expect(outcome).toMatchObject({ type: 'failed', reason: 'function_crashed' })
  })

  test.each([
    [REPORT.progress, 'null'],
    [REPORT.progress, '{'],
    [REPORT.call, 'null'],
    [REPORT.call, '{'],
    [REPORT.call, '{"call":1,"do":"anything"}'],
    [REPORT.call, '{"call":-1,"do":"extend_timeout"}'],
    [REPORT.call, '{"call":1,"do":"extend_payload"}'],
    [REPORT.failure, '{'],
    [REPORT.failure, 'null'],
    [200, ''],
  ])('with invalid reports (%i, %j) loses its host, even while its output is held up', async (type, payload) => {
    const held = {
      write: () => new Promise<void>(resolve => setImmediate(resolve)),
      note: async () => {},
    }
    const frames = [
      [REPORT.stdout, 1, 'before\n'],
      [type, 1, payload],
      [REPORT.dirty, 1, ''],
    ]
    for (const log of [undefined, held]) {
      const { outcome } = await forge(frames, log === undefined ? {} : { log: log as never })
      expect(outcome).toMatchObject({ type: 'failed', failure: 'user', reason: 'function_crashed' })
    }
  })

  test('has a long failure message cut', async () => {
    const message = 'x'.repeat(1_000_000)
    const { outcome } = await forge([
      [REPORT.failure, 1, JSON.stringify({ reason: 'function_threw', message })],
      [REPORT.dirty, 1, ''],
    ])
    expect(outcome).toMatchObject({ type: 'failed', reason: 'function_threw' })
    expect((outcome as { message: string }).message.length).toBeLessThan(5_000)
  })

  test('gets only a limited number of answers at once', async () => {
    let under = 0
    let most = 0
    const calls = Array.from({ length: 5000 }, (_, index) => [
      REPORT.call,
      1,
      JSON.stringify({ call: index + 1, do: 'extend_payload', items: [] }),
    ])
    const { outcome, context } = await forge([...calls, [REPORT.result, 1, 'null'], [REPORT.dirty, 1, '']], {
      extendPayload: async () => {
        most = Math.max(most, ++under)
        await new Promise(resolve => setImmediate(resolve))
        under--
      },
    })
    expect(outcome.type).toBe('completed')
    expect(context.log.text('stderr')).toBe('')
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(64)
  })
})
