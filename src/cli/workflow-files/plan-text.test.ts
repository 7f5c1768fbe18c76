import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { LoadedFile } from './load-files.ts'
import type { PlanStep } from './plan.ts'
import { planJson, planText } from './plan-text.ts'

const pipe = new PassThrough() as unknown as NodeJS.WriteStream
const file = { file: 'w/a.yaml', line: 3 } as LoadedFile
const change = (changes: Extract<PlanStep, { action: 'change' }>['changes']): PlanStep => ({
  action: 'change',
  name: 'b',
  file,
  changes,
})

test('a plan has one line per workflow, its changes below it, and totals', () => {
  const steps: readonly PlanStep[] = [
    { action: 'create', name: 'a', file },
    change([
      { field: 'payload.0.command', before: '"x"', after: '"y"' },
      { field: 'sinks.0.url', before: null, after: '"z"' },
      { field: 'schedule.jitter', before: '"5s"', after: null },
    ]),
    { action: 'keep', name: 'c', file },
    { action: 'prune', name: 'd', workflow: {} as never },
  ]
  expect(planText(steps, pipe)).toBe(`+ a  new: w/a.yaml:3
~ b  changed: w/a.yaml:3
    payload.0.command: "x" → "y"
    sinks.0.url: "z"
    schedule.jitter: "5s" → (gone)
= c  unchanged
- d  to be deleted: in no file any more
1 new, 1 changed, 1 unchanged, 1 to be deleted
`)
  expect(planJson(steps)).toMatchObject({
    workflows: [
      { name: 'a', action: 'create' },
      { changes: [{ field: 'payload.0.command' }, {}, {}] },
      {},
      { file: null },
    ],
  })
})

test('a change without visible differences is one of secrets', () => {
  expect(planText([change([])], pipe)).toContain('secret values, which are not shown')
})

test('long values and long lists of changes are cut, and text cannot move the cursor', () => {
  const many = Array.from({ length: 100 }, (_, at) => ({
    field: `f${at}`,
    before: null,
    after: `"${'x'.repeat(500)}"`,
  }))
  const text = planText([change([{ field: 'a\x1b[2Jb', before: null, after: 'c\rd' }, ...many])], pipe)
  expect(text).toContain('and 61 more')
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThan(200)
  expect(text).not.toMatch(/[^\n\P{Cc}]/u)
})
