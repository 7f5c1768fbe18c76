import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { ImportFailure } from '../import-failure.ts'
import { fileSource } from './file-source.ts'

/** Repeatedly replaces a folder by a link to another one and back. */
const EXCHANGE = `
  const { renameSync, symlinkSync, unlinkSync } = require('node:fs')
  const [folder, aside, outside] = process.argv.slice(1)
  console.log('begun')
  for (;;) {
    renameSync(folder, aside)
    symlinkSync(outside, folder)
    unlinkSync(folder)
    renameSync(aside, folder)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.05)
  }`

test('a folder that is replaced by a link between the check and the opening is not followed', async () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-exchange-'))
  const [allowed, outside] = [join(root, 'allowed'), join(root, 'outside')]
  const folder = join(allowed, 'folder')
  for (const [place, text] of [
    [folder, 'inside'],
    [outside, 'secret'],
  ] as const) {
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'rows.csv'), text)
  }
  const child = spawn(process.execPath, ['-e', EXCHANGE, folder, join(allowed, 'aside'), outside])
  onTestFinished(async () => {
    child.kill()
    await once(child, 'close')
    rmSync(root, { recursive: true })
  })
  await once(child.stdout, 'data')

  const url = pathToFileURL(join(folder, 'rows.csv')).href
  const found = { inside: 0, secret: 0, nothing: 0 }
  while (found.inside < 300) {
    try {
      const { content } = await fileSource(url, [allowed])
      found[String(Buffer.concat(await Array.fromAsync(content))) as 'inside' | 'secret']++
    } catch (error) {
      if (!(error instanceof ImportFailure))
        expect((error as NodeJS.ErrnoException).code).toMatch(/^(ENOENT|ENOTDIR|ELOOP)$/)
      found.nothing++
    }
  }
  expect(found.secret).toBe(0)
})
