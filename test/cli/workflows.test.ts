import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  api,
  type Finished,
  finished,
  inProcess,
  needTerminal,
  printed,
  type ServeProcess,
  start,
  startOnTerminal,
  startServe,
} from './millrace.ts'

let server: ServeProcess
beforeAll(async () => {
  server = await startServe(['--shutdown-grace', '1s', '--allow-private-addresses', '127.0.0.1'])
})
afterAll(async () => {
  await server?.stop()
})

const run = (args: readonly string[]): Promise<Finished> => inProcess(args, { cwd: server.cwd })

const make = async (definition: Readonly<Record<string, unknown>>): Promise<void> => {
  expect(await api(server.cwd, 'POST', '/v1/workflows', definition)).toMatchObject({
    name: definition.name,
    version: 1,
  })
}

const shown = (name: string) => api(server.cwd, 'GET', `/v1/workflows/${name}`)
const runOf = (id: string) => api(server.cwd, 'GET', `/v1/runs/${id}`)

const retry = { maximum_attempts: 1 }

test('trigger --wait exits with 0 when all items completed and with 1 when one failed', async () => {
  await make({ name: 'good', payload: [{ command: 'true' }, { command: 'echo hi' }] })
  await make({ name: 'bad', payload: [{ command: 'true' }, { command: 'exit 3', retry }] })
  expect((await run(['trigger', 'good', '--wait'])).code).toBe(0)
  const { code, stdout, stderr } = await run(['trigger', 'bad', '--wait'])
  expect(code).toBe(1)
  expect(stderr).toContain(`run ${stdout.trim()} failed (items_failed): 1 failed, 1 completed`)
  expect(stderr).toContain(`see what failed: millrace runs jobs ${stdout.trim()} --status failed\n`)
  const followed = await run(['workflows', 'trigger', 'bad', '--follow', '--json'])
  expect(followed.code).toBe(1)
  expect(followed.stderr).toMatch(/run \S+ failed: 1 failed, 1 completed/)
  expect(JSON.parse(followed.stdout)).toMatchObject({ status: 'failed', counts: { failed: 1, completed: 1 } })
})

test('the items of a run are jobs, and the failed ones can be run again', async () => {
  const mark = join(server.cwd, 'again-mark')
  await make({ name: 'again', payload: [{ command: 'echo fine' }, { command: `[ -e ${mark} ]`, retry }] })
  const id = (await run(['trigger', 'again', '-w'])).stdout.trim()
  expect((await run(['runs', 'jobs', id, '--status', 'failed'])).stdout).toContain(`[ -e ${mark} ]`)
  const ofRun = (await run(['jobs', '--run', id])).stdout
  expect(ofRun.trim().split('\n')).toHaveLength(3)
  for (const said of ['again', (await runOf(id)).workflow_id])
    expect((await run(['jobs', '--workflow', said])).stdout).toBe(ofRun)

  writeFileSync(mark, '')
  const again = await run(['runs', 'retry-failed', id, '--wait', '--json'])
  expect(again.code).toBe(0)
  expect(JSON.parse(again.stdout)).toMatchObject({ retry_of: id, status: 'completed', counts: { completed: 1 } })
  const refused = await run(['runs', 'retry-failed', JSON.parse(again.stdout).run_id])
  expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining('(no_failed_items)') })
})

test('a trigger for later waits as a pending run, and can be terminated', async () => {
  await make({ name: 'later', payload: [{ command: 'true' }] })
  const at = new Date(Date.now() + 3_600_000).toISOString()
  const answer = JSON.parse((await run(['trigger', 'later', '--at', at, '--json'])).stdout)
  expect(answer.status).toBe('pending')
  expect(await runOf(answer.run_id)).toMatchObject({ scheduled_at: at, trigger: 'manual', status: 'pending' })
  expect((await run(['runs', 'terminate', answer.run_id])).stdout).toBe(`${answer.run_id} terminated\n`)
  const past = await run(['trigger', 'later', '--at', '2020-01-01T00:00:00Z'])
  expect(past).toMatchObject({ code: 125, stderr: expect.stringContaining('scheduled_at') })
})

test('a workflow is paused, refuses a trigger, is resumed, terminated and deleted', async () => {
  const gate = join(server.cwd, 'states-gate')
  const wait = `echo begun; until [ -e ${gate} ]; do sleep 0.05; done`
  await make({
    name: 'states',
    payload: [{ command: wait }, { command: 'true' }],
    configuration: { max_concurrent_requests: 1 },
    schedule: { intervals: [{ every: '1d' }] },
  })
  const id = (await run(['trigger', 'states'])).stdout.trim()
  await expect.poll(async () => (await runOf(id)).counts.running, { timeout: 30_000 }).toBe(1)
  expect((await run(['workflows', 'pause', 'states'])).stdout).toBe('states paused\n')
  expect(await runOf(id)).toMatchObject({ status: 'pausing' })
  expect(await run(['trigger', 'states'])).toMatchObject({
    code: 125,
    stderr: expect.stringContaining('(workflow_paused)'),
  })
  writeFileSync(gate, '')
  await expect.poll(async () => (await runOf(id)).status, { timeout: 30_000 }).toBe('paused')
  expect((await run(['workflows', 'resume', 'states'])).stdout).toBe('states active\n')
  expect((await run(['runs', 'watch', id])).code).toBe(0)

  expect((await run(['workflows', 'delete', 'states'])).stderr).toContain('(workflow_active)')
  expect((await run(['workflows', 'terminate', 'states'])).stdout).toBe('states terminated\n')
  expect((await run(['workflows', 'list', '--state', 'terminated'])).stdout).toMatch(/^states +terminated +1 +2 /m)
  expect((await run(['workflows', 'delete', 'states'])).stdout).toBe('states deleted\n')
  expect(await runOf(id)).toMatchObject({ status: 'completed' })
})

test('delete --terminate first ends what runs', async () => {
  await make({ name: 'stubborn', payload: [{ command: 'trap "" TERM; echo begun; while :; do sleep 0.1; done' }] })
  const id = (await run(['trigger', 'stubborn'])).stdout.trim()
  await expect.poll(async () => (await runOf(id)).counts.running, { timeout: 30_000 }).toBe(1)
  expect(await run(['workflows', 'delete', 'stubborn', '--terminate', '--grace', '0'])).toMatchObject({
    code: 0,
    stdout: 'stubborn deleted\n',
  })
  expect(await runOf(id)).toMatchObject({ status: 'terminated', counts: { cancelled: 1 } })
})

test('a single run is paused and resumed', async () => {
  const gate = join(server.cwd, 'run-gate')
  await make({
    name: 'held',
    payload: [{ command: `until [ -e ${gate} ]; do sleep 0.05; done` }, { command: 'true' }],
    configuration: { max_concurrent_requests: 1 },
  })
  const id = (await run(['trigger', 'held'])).stdout.trim()
  await expect.poll(async () => (await runOf(id)).counts.running, { timeout: 30_000 }).toBe(1)
  expect((await run(['runs', 'pause', id])).stdout).toBe(`${id} pausing\n`)
  writeFileSync(gate, '')
  await expect.poll(async () => (await runOf(id)).status, { timeout: 30_000 }).toBe('paused')
  expect((await run(['runs', 'resume', id])).stdout).toBe(`${id} running\n`)
  expect((await run(['runs', 'watch', id])).code).toBe(0)
})

test('Ctrl-C stops watching a run, and the run continues', async () => {
  const gate = join(server.cwd, 'watch-gate')
  await make({ name: 'watched', payload: [{ command: `until [ -e ${gate} ]; do sleep 0.05; done` }] })
  const child = start(['trigger', 'watched', '--follow'], { cwd: server.cwd })
  const end = finished(child)
  await printed(child.stderr!, /run \S+ running/)
  child.kill('SIGINT')
  const { code, stdout, stderr } = await end
  expect(code).toBe(130)
  expect(stderr).toContain(`millrace runs show ${stdout.trim()}`)
  expect((await runOf(stdout.trim())).finished_at).toBe(null)
  writeFileSync(gate, '')
  expect((await run(['runs', 'watch', stdout.trim()])).code).toBe(0)
})

test('a bar on a terminal shows the progress of a run', async context => {
  needTerminal(context)
  await make({ name: 'bar', payload: [{ command: 'true' }, { command: 'true' }] })
  const child = startOnTerminal(['trigger', 'bar', '--follow'], { cwd: server.cwd })
  let output = ''
  child.stdout.on('data', data => {
    output += data
  })
  const [code] = await once(child, 'close')
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('█ 100%  2 of 2') })
})

test('upcoming, slots and runs are printed as tables or as JSON', async () => {
  await make({
    name: 'every-second',
    payload: [{ command: 'true' }],
    schedule: { intervals: [{ every: '1s' }], overlap: 'allow' },
  })
  const upcoming = await run(['workflows', 'upcoming', 'every-second', '-n', '3'])
  expect(upcoming.stdout.trim().split('\n')).toHaveLength(4)
  expect(upcoming.stdout).toMatch(/\dT\d\d:\d\d:\d\d\.000Z/)
  await expect
    .poll(async () => (await api(server.cwd, 'GET', '/v1/workflows/every-second/runs')).runs.length, {
      timeout: 30_000,
    })
    .toBeGreaterThan(0)
  await run(['workflows', 'pause', 'every-second'])
  expect(await run(['workflows', 'upcoming', 'every-second'])).toEqual({
    code: 0,
    stdout: '',
    stderr: 'no slots to come: the workflow is paused\n',
  })
  const told = JSON.parse((await run(['workflows', 'upcoming', 'every-second', '--json'])).stdout)
  expect(told).toEqual({ state: 'paused', slots: [] })
  expect((await run(['runs', '--workflow', 'every-second', '--trigger', 'automatic'])).stdout).toMatch(/ automatic /)
  await expect
    .poll(async () => (await api(server.cwd, 'GET', '/v1/workflows/every-second/slots')).slots[0].reason, {
      timeout: 30_000,
    })
    .toBe('paused')
  expect((await run(['workflows', 'slots', 'every-second'])).stdout).toMatch(/ skipped +paused.* fired /s)
  await run(['workflows', 'terminate', 'every-second'])
})

test('runs of all workflows are listed with their names, those of a deleted workflow with its id', async () => {
  await make({ name: 'named', payload: [{ command: 'true' }] })
  const id = (await run(['trigger', 'named', '--wait'])).stdout.trim()
  expect((await run(['runs'])).stdout).toMatch(new RegExp(`^${id} +named +completed`, 'm'))
  expect((await run(['runs', '--workflow', 'named'])).stdout).toMatch(new RegExp(`^${id} +completed`, 'm'))
  const { workflow_id } = await shown('named')
  await run(['workflows', 'pause', 'named'])
  await run(['workflows', 'delete', 'named'])
  expect((await run(['runs'])).stdout).toMatch(new RegExp(`^${id} +${workflow_id} +completed`, 'm'))
  expect((await run(['runs', '-w', workflow_id])).stdout).toMatch(new RegExp(`^${id} +completed`, 'm'))
  expect((await run(['analytics', '-w', workflow_id])).stdout).toMatch(new RegExp(`^${workflow_id} +1 `, 'm'))
})

test('list filters, and says when it is empty', async () => {
  await make({ name: 'needle-in-list', payload: [{ command: 'true' }], max_consecutive_failures: 4 })
  expect((await run(['workflows', '--query', 'NEEDLE'])).stdout).toMatch(/^needle-in-list +active +1 +1 +0\/4 /m)
  expect(await run(['workflows', 'list', '-q', 'nothing like this'])).toEqual({
    code: 0,
    stdout: '',
    stderr: 'no workflows\n',
  })
  const { workflows } = JSON.parse((await run(['workflows', '--query', 'needle', '--json'])).stdout)
  expect(workflows).toMatchObject([{ name: 'needle-in-list' }])
})

test('show prints the state of a workflow and its definition, without secrets', async () => {
  await make({
    name: 'shown',
    description: 'to look at',
    labels: { team: 'data' },
    payload: [{ command: 'true', environment: { API_TOKEN: 'never-to-be-seen' } }],
  })
  const { stdout } = await run(['workflows', 'show', 'shown'])
  expect(stdout).toMatch(/state +active/)
  expect(stdout).toContain('description: to look at')
  expect(stdout).toContain('API_TOKEN: "***"')
  expect(stdout).not.toContain('never-to-be-seen')
  expect(await shown('shown')).toMatchObject({ version: 1, items: 1 })
})

test('too many failed runs terminate a workflow, and a notification says so until it is read', async () => {
  await make({ name: 'failing', payload: [{ command: 'exit 1', retry }], max_consecutive_failures: 2 })
  await run(['trigger', 'failing', '--wait'])
  await run(['trigger', 'failing', '--wait'])
  expect(await shown('failing')).toMatchObject({ state: 'terminated', consecutive_failures: 2 })
  const { notifications } = JSON.parse((await run(['notifications', '--json'])).stdout)
  expect(notifications).toMatchObject([{ type: 'workflow.terminated', read_at: null }])
  expect((await run(['notifications'])).stdout).toContain('workflow.terminated')
  expect((await run(['notifications', 'read', notifications[0].notification_id])).stdout).toBe('1 read\n')
  expect(await run(['notifications'])).toEqual({ code: 0, stdout: '', stderr: 'no unread notifications\n' })
  expect((await run(['notifications', '--all'])).stdout).toContain('failing')
  expect((await run(['notifications', 'preference'])).stdout).toBe('alerts\n')
  expect((await run(['notifications', 'preference', 'all'])).stdout).toBe('all\n')
  expect((await run(['notifications', 'read'])).code).toBe(2)
  expect((await run(['workflows', 'resume', 'failing'])).stdout).toBe('failing active\n')
  expect(await shown('failing')).toMatchObject({ consecutive_failures: 0 })
})

test('analytics show how a workflow has done', async () => {
  await make({ name: 'counted', payload: [{ command: 'true' }, { command: 'exit 1', retry }] })
  await run(['trigger', 'counted', '--wait'])
  const { stdout } = await run(['analytics', '--since', '2h', '--workflow', 'counted'])
  expect(stdout).toMatch(/^counted +1 +1 +0 +50\.0% /m)
  const answer = JSON.parse((await run(['analytics', '-w', 'counted', '--json'])).stdout)
  expect(answer.total.jobs).toEqual({ completed: 1, failed: 1, cancelled: 0 })
  expect((await run(['analytics', '--trend', 'day'])).stdout).toMatch(/^DAY /m)
  expect((await run(['analytics', '--since', 'a while'])).code).toBe(2)
})

test('a delivery is listed, shown, and sent again with the same id', async () => {
  const ids: unknown[] = []
  const receiver = createServer((request, response) => {
    ids.push(request.headers['webhook-id'])
    response.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  const secret = `whsec_${Buffer.alloc(32, 'x').toString('base64')}`
  await make({ name: 'telling', payload: [{ command: 'true' }], sinks: [{ type: 'webhook', url, secret }] })
  const id = (await run(['trigger', 'telling', '--wait'])).stdout.trim()
  await expect.poll(() => ids.length, { timeout: 30_000 }).toBe(1)
  const delivered = async () =>
    (await api(server.cwd, 'GET', `/v1/deliveries?run_id=${id}&status=delivered`)).deliveries
  await expect.poll(async () => (await delivered()).length, { timeout: 30_000 }).toBe(1)

  expect((await run(['deliveries', '--run', id])).stdout).toMatch(new RegExp(`^${ids[0]} +delivered +1 `, 'm'))
  const { deliveries } = JSON.parse((await run(['deliveries', '--run', id, '--json'])).stdout)
  expect(deliveries).toMatchObject([{ delivery_id: ids[0], last_status: 204 }])
  const detail = (await run(['deliveries', 'show', String(ids[0])])).stdout
  expect(JSON.parse(detail)).toMatchObject({ run_id: id, sink: { secret: '***' } })
  expect((await run(['deliveries', 'redeliver', String(ids[0])])).stdout).toBe(`${ids[0]} to be sent again\n`)
  await expect.poll(() => ids, { timeout: 30_000 }).toEqual([ids[0], ids[0]])
  receiver.close()
})

test('a result is saved or printed whole, and jobs shows the address of an HTTP call', async () => {
  const { url } = JSON.parse(readFileSync(join(server.cwd, 'data/server.json'), 'utf8'))
  writeFileSync(join(server.cwd, 'call.json'), JSON.stringify({ http: { url: `${url}/healthz` } }))
  const id = (await run(['submit', 'call.json'])).stdout.trim()
  expect(await run(['result', id, '--wait', '-o', 'deep/result.json'])).toMatchObject({ code: 0, stdout: '' })
  const saved = readFileSync(join(server.cwd, 'deep/result.json'), 'utf8')
  expect(JSON.parse(saved)).toMatchObject({ status: 200 })
  expect((await run(['result', id])).stdout).toBe(saved)
  expect((await run(['jobs', '--kind', 'http'])).stdout).toContain(`GET ${url}/healthz`)
  expect((await run(['job', id])).stdout).toMatch(/result +json, \d+ B, kept until/)
})

test('a missing result is reported, and leaves no file', async () => {
  const id = (await run(['run', '--detach', '--', 'true'])).stdout.trim()
  const { code, stderr } = await run(['result', id, '--wait', '-o', 'nothing.json'])
  expect(code).toBe(125)
  expect(stderr).toContain('result')
  expect(existsSync(join(server.cwd, 'nothing.json'))).toBe(false)
})

test('the schema of workflow files is printed for editors', async () => {
  const schema = JSON.parse((await run(['workflows', 'schema'])).stdout)
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['name', 'payload', 'schedule', 'sinks']))
})

test.each([
  [['workflows', 'show', 'nobody'], 125, '(not_found)'],
  [['workflows', 'runs', 'nobody'], 125, '(not_found)'],
  [['workflows', 'upcoming', 'nobody'], 125, '(not_found)'],
  [['workflows', 'delete', 'nobody'], 125, '(not_found)'],
  [['trigger', 'nobody'], 125, '(not_found)'],
  [['jobs', '--workflow', 'nobody'], 125, '(not_found)'],
  [['deliveries', '--workflow', 'nobody'], 125, '(not_found)'],
  [['runs', 'show', '01890000-0000-7000-8000-000000000000'], 125, '(not_found)'],
  [['runs', 'watch', '01890000-0000-7000-8000-000000000000'], 125, '(not_found)'],
  [['trigger', 'x', '--param', 'novalue'], 2, 'key=value'],
  [['trigger', 'x', '--params', '[1]'], 2, 'JSON object'],
  [['trigger', 'x', '--params', '{"id": 12345678901234567890}'], 2, 'id: must be a number that a double holds'],
  [['trigger', 'x', '--param', 'id=12345678901234567890'], 2, 'send it as a text'],
  [['workflows', 'apply'], 2, 'missing required argument'],
  [['workflows', 'shw', 'x'], 2, "unknown command 'shw'\n(Did you mean show?)"],
  [['workflows', 'nightly'], 2, "unknown command 'nightly'\n(To show one: millrace workflows show nightly)"],
  [['help', 'qury'], 2, "unknown command 'qury'\n(Did you mean query?)"],
  [['tokens', 'crate', 'x'], 2, "unknown command 'crate'\n(Did you mean create?)"],
  [['workflows', 'apply', 'nowhere'], 2, 'there is no file or directory nowhere\n'],
  [['workflows', 'upcoming', 'x', '-n', '0'], 2, '1 or more'],
  [['jobs', '-l', 'team'], 2, 'It must be key=value.'],
  [['logs', 'x', '-n', '10001'], 2, 'at most 10000 lines'],
  [['jobs', '-w', 'x'], 125, 'There is no workflow "x"'],
  [['runs', '-w', 'x'], 125, 'There is no workflow "x"'],
  [['deliveries', '-w', 'x'], 125, 'There is no workflow "x"'],
  [['analytics', '-w', 'x'], 125, 'There is no workflow "x"'],
])('%j is refused in words', async (args, code, message) => {
  const result = await run(args)
  expect(result).toMatchObject({ code, stdout: '' })
  expect(result.stderr).toContain(message)
})
