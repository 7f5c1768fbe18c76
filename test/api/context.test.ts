import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/kernel/errors.ts'
import { newId } from '../../src/kernel/ids.ts'
import { useFunctions } from './functions.ts'

describe('the context of a function', () => {
  const { run, write } = useFunctions()

  test('has the ids of its job, run and workflow, the attempt and the scheduled time', async () => {
    write(
      'knows.ts',
      `export default (_: unknown, { jobId, runId, workflowId, attempt, scheduledAt }: any) =>
         ({ jobId, runId, workflowId, attempt, isDate: scheduledAt instanceof Date, scheduledAt })`,
    )
    const job = { id: newId(), runId: newId(), workflowId: newId(), attempt: 3, scheduledAt: 1_700_000_000_000 }
    const { result } = await run('knows', {}, { job })
    expect(result).toEqual({
      jobId: job.id,
      runId: job.runId,
      workflowId: job.workflowId,
      attempt: 3,
      isDate: true,
      scheduledAt: '2023-11-14T22:13:20.000Z',
    })
  })

  test('reports progress', async () => {
    write(
      'advances.js',
      'export default (_, ctx) => { ctx.progress(10, "begun"); ctx.progress(120); ctx.progress(null, "?") }',
    )
    const { context } = await run('advances')
    expect(context.progressed).toEqual([
      { percentage: 10, message: 'begun' },
      { percentage: 100, message: null },
      { percentage: null, message: '?' },
    ])
  })

  test('extends the payload and restarts the timeout', async () => {
    write(
      'extends.js',
      `export default async (_, ctx) => {
         await ctx.extendPayload([{ api: 'detail', parameters: { page: 1 } }])
         await ctx.extendPayload([{ api: 'detail', parameters: { page: 2 } }])
         await ctx.extendTimeout()
       }`,
    )
    const { outcome, context } = await run('extends')
    expect(outcome.type).toBe('completed')
    expect(context.extended).toEqual([
      [{ api: 'detail', parameters: { page: 1 } }],
      [{ api: 'detail', parameters: { page: 2 } }],
    ])
    expect(context.timeoutsExtended).toBeGreaterThan(0)
  })

  test('says what is wrong with a payload', async () => {
    write(
      'extends-badly.js',
      `export default async (_, ctx) => {
         const ofText = await ctx.extendPayload('nothing').catch(error => error.message)
         const refused = await ctx.extendPayload([{}]).catch(({ message, code, errors }) => ({ message, code, errors }))
         return [ofText, refused]
       }`,
    )
    const errors = [{ path: 'payload.0', message: 'must have a kind' }]
    const { result } = await run(
      'extends-badly',
      {},
      { extendPayload: async () => Promise.reject(new MillraceError('invalid', 'payload.0: no', { errors })) },
    )
    expect(result).toEqual([expect.stringContaining('list'), { message: 'payload.0: no', code: 'invalid', errors }])
  })

  test('refuses half a surrogate pair in a payload', async () => {
    write(
      'extends-halves.js',
      `export default (_, ctx) =>
         ctx.extendPayload([{ command: 'a' }, { command: '\\ud800' }]).catch(({ code, errors }) => ({ code, errors }))`,
    )
    const { result, context } = await run('extends-halves')
    const errors = [{ path: 'payload.1.command', message: expect.stringContaining('well-formed') }]
    expect(result).toEqual({ code: 'invalid', errors })
    expect(context.extended).toEqual([])
  })

  test('adds artifacts from content or from a file, and reports a name that is taken', async () => {
    const kept = new Map<string, string>()
    write(
      'keeps.js',
      `import { writeFileSync } from 'node:fs'
       export default async (_, ctx) => {
         writeFileSync('page.html', '<html>')
         return [
           await ctx.artifact('a/text.txt', 'text'),
           await ctx.artifact('bytes', new Uint8Array([65, 66])),
           await ctx.artifact('page', { path: 'page.html' }),
           await ctx.artifact('page', 'again'),
         ]
       }`,
    )
    const { result } = await run(
      'keeps',
      {},
      {
        addArtifact: async ({ name, path }) => {
          if (kept.has(name)) return 'name_taken'
          kept.set(name, readFileSync(path, 'utf8'))
          return 'added'
        },
      },
    )
    expect(result).toEqual(['added', 'added', 'added', 'name_taken'])
    expect(Object.fromEntries(kept)).toEqual({ 'a/text.txt': 'text', bytes: 'AB', page: '<html>' })
  })

  test('ends the item with a system failure when the database is away while an artifact is added', async () => {
    const away = new MillraceError('unavailable', 'The database cannot be reached.')
    write('keeps-one.js', `export default (_, ctx) => ctx.artifact('a', 'text')`)
    await expect(run('keeps-one', {}, { addArtifact: () => Promise.reject(away) })).rejects.toBe(away)
  })

  test.each([['../up'], ['/etc/x'], [''], [7]])('refuses the artifact %j', async name => {
    write('misnames.js', 'export default ({ name }, ctx) => ctx.artifact(name, "x").catch(error => error.message)')
    const { result, context } = await run('misnames', { parameters: { name } })
    expect(result).toMatch(/name of an artifact/)
    expect(context.artifacts.size).toBe(0)
  })

  test('refuses to follow a link placed where an artifact is written', async () => {
    write(
      'forges.js',
      `import { rmSync, symlinkSync } from 'node:fs'
       import fs from 'node:fs/promises'
       import { syncBuiltinESMExports } from 'node:module'
       export default async (_, ctx) => {
         const write = fs.writeFile
         fs.writeFile = async path => symlinkSync('/etc/passwd', path)
         syncBuiltinESMExports()
         try { return await ctx.artifact('passwd', 'x').catch(error => error.message) }
         finally { fs.writeFile = write; syncBuiltinESMExports() }
       }`,
    )
    const { result, context } = await run('forges')
    expect(result).toMatch(/ELOOP/)
    expect(context.artifacts.size).toBe(0)
  })
})
