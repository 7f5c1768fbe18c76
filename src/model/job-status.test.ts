import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  CANCEL_REASONS,
  canMove,
  ENDED_STATUSES,
  isEnded,
  JOB_STATUSES,
  type JobStatus,
  LIVE_STATUSES,
  PENDING_REASONS,
  TRANSITIONS,
} from './job-status.ts'

const statuses = Object.keys(JOB_STATUSES) as JobStatus[]

test('live and ended statuses together are all statuses', () => {
  expect([...LIVE_STATUSES, ...ENDED_STATUSES]).toEqual(statuses)
  for (const status of statuses) {
    expect(isEnded(status)).toBe((ENDED_STATUSES as readonly string[]).includes(status))
    expect(isEnded(status)).toBe(JOB_STATUSES[status].table === 'ended')
  }
})

test('invariant 3: no transition leaves an ended status', () => {
  for (const from of ENDED_STATUSES) for (const to of statuses) expect(canMove(from, to), `${from} → ${to}`).toBe(false)
})

test('every live status leads to an ended one, and every status can be reached from the first', () => {
  for (const status of LIVE_STATUSES) expect([...reachable(status)].some(isEnded), status).toBe(true)
  expect([...reachable('pending')].sort()).toEqual([...statuses].sort())
})

const reachable = (from: JobStatus): Set<JobStatus> => {
  const found = new Set<JobStatus>([from])
  for (const status of found) for (const { from, to } of TRANSITIONS) if (from === status) found.add(to)
  return found
}

test('only a claim takes a slot', () => {
  const taking = TRANSITIONS.filter(({ from, to }) => !JOB_STATUSES[from].holdsSlot && JOB_STATUSES[to].holdsSlot)
  expect(taking.map(transition => transition.name)).toEqual(['claim'])
})

test('each transition is in the table once', () => {
  const pairs = TRANSITIONS.map(({ from, to }) => `${from} ${to}`)
  expect(new Set(pairs).size).toBe(pairs.length)
})

describe('docs/states.md', () => {
  const page = readFileSync(new URL('../../docs/states.md', import.meta.url), 'utf8')
  /** Rows of the tables whose header starts like this, without their code marks. */
  const rows = (...header: string[]) => {
    const lines = page.split('\n')
    return lines.flatMap((line, index) =>
      line.startsWith(`| ${header.join(' | ')} |`) ? tableAt(lines, index + 2) : [],
    )
  }
  const tableAt = (lines: readonly string[], start: number) => {
    const end = lines.findIndex((line, index) => index >= start && !line.startsWith('|'))
    return lines.slice(start, end).map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim().replaceAll('`', '')),
    )
  }

  test('shows every status with its table and whether it holds a slot', () => {
    const shown = rows('status', 'table', 'slot').map(([status, table, slot]) => [status, table, slot === 'yes'])
    expect(shown).toEqual(statuses.map(status => [status, JOB_STATUSES[status].table, JOB_STATUSES[status].holdsSlot]))
  })

  test('shows every transition with its name and who makes it', () => {
    expect(rows('from', 'to')).toEqual(TRANSITIONS.map(({ from, to, name, by }) => [from, to, name, by]))
  })

  test('shows every reason of pending and cancelled jobs', () => {
    expect(rows('reason').map(([reason]) => reason)).toEqual([...PENDING_REASONS, ...CANCEL_REASONS])
  })
})
