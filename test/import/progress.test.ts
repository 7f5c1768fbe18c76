import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openImportScene } from './scene.ts'
import { useImportScene } from './use-import-scene.ts'

const scene = useImportScene('csv', { open: () => openImportScene({ 'max-workers': '6' }) })

const MEBIBYTE = 2 ** 20

/** That many rows of 19 bytes, so many of each hundred invalid. */
const rows = (count: number, badOfHundred = 0): Buffer =>
  Buffer.from(
    Array.from({ length: count }, (_, index) =>
      index % 100 < badOfHundred ? '2026-01-01,nothing\n' : `2026-01-01,${String(index).padStart(7, '0')}\n`,
    ).join(''),
  )

test('progress shows how much of the content has been read', async () => {
  await scene.dataSource('halves', { day: 'Date', n: 'UInt32' })
  const content = Buffer.from('day,n\n2026-01-01,1\n')
  let finish = () => {}
  const url = scene.give('/half', (_, response) => {
    response.writeHead(200, { 'content-length': 2 * content.length })
    response.write(content)
    finish = () => response.end(content)
  })
  const id = await scene.submit({ datasource: 'halves', url, header: true })
  await expect
    .poll(async () => (await scene.job(id)).progress, { timeout: 20_000 })
    .toMatchObject({ percentage: 50, message: '0 of 0 MiB read' })
  finish()
  expect(await scene.job(id, 60)).toMatchObject({ status: 'completed', statistics: { quarantine_rows: 1 } })
})

/** Sends the first bytes at once and then what it is told to. */
const giveSlowly = (path: string, content: Buffer, first: number) => {
  const asked = Promise.withResolvers<ServerResponse>()
  const url = scene.give(path, (_, response) => {
    response.writeHead(200, { 'content-length': content.length })
    response.write(content.subarray(0, first))
    asked.resolve(response)
  })
  let given = first
  return {
    url,
    give: async (to: number): Promise<void> => {
      const response = await asked.promise
      const part = content.subarray(given, to)
      given = to
      if (to < content.length) response.write(part)
      else response.end(part)
    },
  }
}

test.each([
  ['with valid rows only', 0],
  ['with some invalid rows', 2],
])('rows are loaded while the content still comes, %s, and progress estimates the total', async (_, bad) => {
  const name = `part_${bad}`
  await scene.dataSource(name, { day: 'Date', n: 'UInt32' })
  const count = 1_000_000
  const content = rows(count, bad)
  const slowly = giveSlowly(`/${name}`, content, 10 * MEBIBYTE)
  const id = await scene.submit({ datasource: name, url: slowly.url })
  const told: { percentage: number; message: string }[] = []
  await expect
    .poll(
      async () => {
        const { progress } = await scene.job(id)
        if (progress !== null) told.push(progress)
        return progress?.message
      },
      { timeout: 20_000 },
    )
    .toMatch(/^[\d,]+ of [\d,]+ rows$/)
  const { percentage, message } = told.at(-1)!
  const [loaded = 0, of = 0] = message.match(/[\d,]+/g)!.map(figure => Number(figure.replaceAll(',', '')))
  expect(Math.abs(of / count - 1)).toBeLessThan(0.01)
  expect(loaded).toBeGreaterThan(0)
  // 10 of the 19 MB have been sent.
  expect(loaded / count).toBeLessThan(0.56)
  expect(percentage).toBe(Math.floor((loaded / of) * 100))
  await slowly.give(content.length)
  expect(await scene.job(id, 60)).toMatchObject({
    status: 'completed',
    progress: { percentage: 100, message: '1,000,000 of 1,000,000 rows' },
    statistics: { rows_read: count, quarantine_rows: (count / 100) * bad },
  })
})

test('loading starts once the rest will come soon, and the elapsed time includes the download', async () => {
  await scene.dataSource('slow', { day: 'Date', n: 'UInt32' })
  const content = rows(5_000_000)
  const slowly = giveSlowly('/slow', content, 3 * MEBIBYTE - 1)
  const id = await scene.submit({ datasource: 'slow', url: slowly.url })
  await expect.poll(async () => (await scene.job(id)).progress?.message, { timeout: 20_000 }).toMatch(/MiB read$/)
  await sleep(1500)
  // 3 of 91 MiB in more than a second: the rest would take too long.
  await slowly.give(4 * MEBIBYTE)
  await sleep(1500)
  expect((await scene.job(id)).progress.message).toMatch(/^4 of 90\.\d MiB read$/)
  await slowly.give(content.length - 1000)
  await expect.poll(async () => (await scene.job(id)).progress.message, { timeout: 20_000 }).toMatch(/ rows$/)
  await slowly.give(content.length)
  const { status, statistics } = await scene.job(id, 60)
  expect([status, statistics.rows_written]).toEqual(['completed', 5_000_000])
  expect(statistics.elapsed_ms).toBeGreaterThan(3000)
})
