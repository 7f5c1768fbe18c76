import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Database, openForWriting } from '../database.ts'
import { decodeEvents, type Writer } from '../writer.ts'
import type { Call } from './calls.ts'
import { commitTogether } from './group-commit.ts'

let directory: string
let db: Database
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-commit-'))
  db = openForWriting(join(directory, 'x.db'))
  db.exec('CREATE TABLE note (text TEXT PRIMARY KEY) STRICT')
})
afterEach(() => {
  db.close()
  rmSync(directory, { recursive: true })
})

const subject = { id: 'job', workspace: 'w', kind: 'command', runId: null, workflowId: null, parentJobId: null }

const operations = {
  write: ({ db, effects }: Writer, text: string) => {
    effects.event({ ...subject, id: text }, 'queued', null, 1)
    db.run('INSERT INTO note VALUES (?)', text)
    return `wrote ${text}`
  },
  /** What SQLite itself does after some faults. */
  abandon: ({ db }: Writer) => {
    db.run('ROLLBACK')
    throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
  },
}

const commit = (calls: readonly Call[]) => {
  const memory = { nextSeq: 1, latestCreatedAt: 0, scopeSets: new Map([['[]', 1]]), sumMark: null }
  return { reply: commitTogether({ db, memory, operations, calls }), memory }
}

const notes = () => db.all<[string]>('SELECT text FROM note ORDER BY text').map(([text]) => text)
const told = (events: string | undefined) => decodeEvents(events ?? '').map(({ jobId }) => jobId)

test('calls that come together are answered in order and all written', () => {
  const { reply } = commit([
    [7, 'write', 'a', 0],
    [8, 'write', 'b', 0],
  ])
  expect(reply.answers).toEqual([
    [7, 'wrote a', null],
    [8, 'wrote b', null],
  ])
  expect(told(reply.effects?.events)).toEqual(['a', 'b'])
  expect(notes()).toEqual(['a', 'b'])
})

test('a refused call undoes itself and its events, not its neighbours', () => {
  const { reply, memory } = commit([
    [1, 'write', 'a', 0],
    [2, 'write', 'a', 0],
    [3, 'write', 'c', 0],
  ])
  expect(reply.answers.map(([id, output, fault]) => [id, output, fault?.message])).toEqual([
    [1, 'wrote a', undefined],
    [2, null, 'UNIQUE constraint failed: note.text'],
    [3, 'wrote c', undefined],
  ])
  expect(told(reply.effects?.events)).toEqual(['a', 'c'])
  expect(notes()).toEqual(['a', 'c'])
  expect(memory.scopeSets.size).toBe(0)
})

test('a refused single call leaves nothing and sends nothing', () => {
  commit([[1, 'write', 'a', 0]])
  const { reply } = commit([[2, 'write', 'a', 0]])
  expect(reply.answers[0]?.[2]?.message).toMatch(/UNIQUE/)
  expect(reply.effects).toBeNull()
  expect(db.isTransaction).toBe(false)
  expect(notes()).toEqual(['a'])
})

test('when the transaction itself fails, every call is refused with that fault', () => {
  const { reply } = commit([
    [1, 'write', 'a', 0],
    [2, 'abandon', null, 0],
    [3, 'write', 'c', 0],
  ])
  expect(reply.answers.map(([id, output, fault]) => [id, output, fault?.code])).toEqual([
    [1, null, 'ENOSPC'],
    [2, null, 'ENOSPC'],
    [3, null, 'ENOSPC'],
  ])
  expect(reply.effects).toBeNull()
  expect(notes()).toEqual([])
  expect(commit([[4, 'write', 'd', 0]]).reply.answers[0]?.[1]).toBe('wrote d')
})
