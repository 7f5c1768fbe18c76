import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readProcess } from './process-table.ts'
import { openRecord, readRecord } from './record.ts'

const isLinux = process.platform === 'linux'

describe.skipIf(!isLinux)(`the record of processes${isLinux ? '' : ' (needs /proc)'}`, () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-record-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const own = { pid: process.pid, startedAt: readProcess(process.pid)?.startedAt ?? 0 }

  test('names its writer first, then each added process once', () => {
    const record = openRecord(directory)
    for (let i = 0; i < 2; i++) record.add({ pid: 12, startedAt: 34 })
    record.add({ pid: 12, startedAt: 35 })
    expect(readRecord(directory)).toEqual([own, { pid: 12, startedAt: 34 }, { pid: 12, startedAt: 35 }])
  })

  test('forgets processes that have ended', () => {
    const record = openRecord(directory)
    record.add({ pid: 12, startedAt: 34 })
    record.clear()
    record.add({ pid: 56, startedAt: 78 })
    expect(readRecord(directory)).toEqual([own, { pid: 56, startedAt: 78 }])
  })

  test('of another boot is ignored', () => {
    writeFileSync(join(directory, 'processes'), 'another-boot\n1 2\n')
    expect(readRecord(directory)).toEqual([])
  })

  test('that is missing is empty', () => {
    expect(readRecord(directory)).toEqual([])
  })
})
