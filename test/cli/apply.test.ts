// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts with such places are what is tested
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  api,
  type Finished,
  inProcess,
  needTerminal,
  printed,
  type ServeProcess,
  startOnTerminal,
  startServe,
} from './millrace.ts'

let server: ServeProcess
beforeAll(async () => {
  server = await startServe(['--shutdown-grace', '1s'])
})
afterAll(async () => {
  await server?.stop()
})

/** Every test has its own files and set. */
const folder = (name: string) => {
  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [file, text] of Object.entries(files)) {
      const path = join(server.cwd, name, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
  }
  const apply = (args: readonly string[] = [], environment: Record<string, string> = {}): Promise<Finished> =>
    inProcess(['workflows', 'apply', name, '--set', name, ...args], { cwd: server.cwd, environment })
  return { write, apply, remove: (file: string) => rmSync(join(server.cwd, name, file)) }
}

const run = (args: readonly string[]): Promise<Finished> => inProcess(args, { cwd: server.cwd })

const shown = (name: string) => api(server.cwd, 'GET', `/v1/workflows/${name}`)

const exists = async (name: string): Promise<boolean> => (await shown(name)).name === name

const workflow = (name: string, command = 'exit 0'): string => `name: ${name}\npayload:\n  - command: ${command}\n`

test('the workflows of files are shown, created, and left alone the second time', async () => {
  const { write, apply } = folder('first')
  write({
    'a.yaml': `${workflow('first-a')}---\n${workflow('first-b')}`,
    'deep/c.json': JSON.stringify({ $schema: 'x', name: 'first-c', payload: [{ command: ['echo', 'c'] }] }),
    'README.md': 'not a workflow',
  })
  const dry = await apply(['--dry-run'])
  expect(dry).toMatchObject({ code: 1, stderr: '' })
  expect(dry.stdout).toContain('+ first-a  new: first/a.yaml:1')
  expect(dry.stdout).toContain('+ first-b  new: first/a.yaml:5')
  expect(dry.stdout).toContain('3 new, 0 changed, 0 unchanged, 0 to be deleted')
  expect(await exists('first-a')).toBe(false)

  expect(await apply(['--yes'])).toMatchObject({ code: 0, stderr: expect.stringContaining('first-c created') })
  expect(await shown('first-c')).toMatchObject({ payload: [{ command: ['echo', 'c'] }], version: 1 })

  const again = await apply(['--yes'])
  expect(again).toMatchObject({ code: 0, stderr: '' })
  expect(again.stdout).toContain('0 new, 0 changed, 3 unchanged')
  expect((await apply(['--dry-run'])).code).toBe(0)
  expect(await shown('first-a')).toMatchObject({ version: 1 })
})

test('a change is shown field by field, raises the version, and leaves other workflows alone', async () => {
  const { write, apply } = folder('change')
  write({ 'a.yaml': workflow('change-a', 'echo old'), 'b.yaml': workflow('change-b') })
  await apply(['--yes'])
  write({ 'a.yaml': `${workflow('change-a', 'echo new')}configuration: {max_concurrent_requests: 9}\n` })
  const { code, stdout } = await apply(['--yes'])
  expect(code).toBe(0)
  expect(stdout).toContain('payload.0.command: "echo old" → "echo new"')
  expect(stdout).toContain('configuration.max_concurrent_requests: 9')
  expect(stdout).toContain('0 new, 1 changed, 1 unchanged')
  expect(await shown('change-a')).toMatchObject({ version: 2, payload: [{ command: 'echo new' }] })
  expect(await shown('change-b')).toMatchObject({ version: 1 })
})

test('every fault of every file is reported with its line, and nothing is written', async () => {
  const { write, apply } = folder('wrong')
  write({
    'good.yaml': workflow('wrong-good'),
    'syntax.yaml': 'name: x\npayload: [\n',
    'fields.yaml':
      'name: wrong-fields\npayload:\n  - command: "true"\n    prioritty: 3\n  - command: "true"\n    priority: 1000\n',
    'schedule.yaml': `${workflow('wrong-schedule')}schedule:\n  calendars:\n    - minute: 60\n`,
    'never.yaml': `${workflow('wrong-never')}schedule:\n  crons: ['0 9 31 2 *']\n`,
    'both.yaml':
      'name: wrong-both\npayload:\n  - comand: "true"\nschedule:\n  crons:\n    - 0 9 * * *\n    - 0 25 * * *\n',
    'all.yaml': `${workflow('wrong-all')}schedule: {intervals: [{every: 5 parsecs}],\n  time_zone: Mars/X,\n  jiter: 3}\n`,
    'twice.yaml': workflow('wrong-good'),
    'nameless.yaml': 'payload: [{command: "true"}]\n',
    'variable.yaml': `${workflow('wrong-variable')}environment:\n  A: \${NOT_SET_ANYWHERE}\n  B: \${HOME:-/root}\n`,
    'broken.json': '{"name": ',
  })
  const { code, stdout, stderr } = await apply(['--yes'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('nothing was changed')
  for (const fault of [
    /wrong\/syntax\.yaml:3: is not YAML/,
    /wrong\/fields\.yaml:4: payload\.0\.prioritty: is not a known field/,
    /wrong\/fields\.yaml:6: payload\.1\.priority: must be <= 100/,
    /wrong\/schedule\.yaml:6: schedule\.calendars\.0\.minute: /,
    /wrong\/never\.yaml:5: schedule\.crons\.0: matches no date/,
    /wrong\/both\.yaml:3: payload\.0/,
    /wrong\/both\.yaml:7: schedule\.crons\.1: /,
    /wrong\/all\.yaml:4: schedule\.intervals\.0\.every: must be a duration/,
    /wrong\/all\.yaml:5: schedule\.time_zone: must be the name of a time zone/,
    /wrong\/all\.yaml:6: schedule\.jiter: is not a known field/,
    /wrong\/twice\.yaml:1: name: "wrong-good" is also in wrong\/good\.yaml:1/,
    /wrong\/nameless\.yaml:1: name: is required/,
    /wrong\/variable\.yaml:5: environment\.A: the variable NOT_SET_ANYWHERE is not set/,
    /wrong\/variable\.yaml:6: environment\.B: has a \$\{ that begins no \$\{NAME\}/,
    /wrong\/broken\.json: is not JSON/,
  ])
    expect(stderr).toMatch(fault)
  expect(await exists('wrong-good')).toBe(false)
})

test('secrets come from the environment, are never shown, and a new value is detected', async () => {
  const { write, apply } = folder('secret')
  const text = `${workflow('secret-a', "'echo $API_TOKEN $${API_TOKEN}'")}environment:\n  API_TOKEN: \${MY_TOKEN}\n  PLAIN: \${MY_PLAIN}\n`
  write({ 'a.yaml': text })
  const first = { MY_TOKEN: 'first-value-of-token', MY_PLAIN: 'first-value-of-plain' }
  const created = await apply(['--yes'], first)
  expect(created.code).toBe(0)
  const definition = await shown('secret-a')
  expect(definition.environment).toEqual({ API_TOKEN: '***', PLAIN: 'first-value-of-plain' })
  expect(definition.payload[0].command).toBe('echo $API_TOKEN $${API_TOKEN}')
  expect((await apply(['--dry-run'], first)).code).toBe(0)

  const token = await apply(['--dry-run'], { ...first, MY_TOKEN: 'second-value-of-token' })
  expect(token).toMatchObject({ code: 1, stdout: expect.stringContaining('secret values, which are not shown') })
  const plain = await apply(['--yes'], { ...first, MY_PLAIN: 'second-value-of-plain' })
  expect(plain.stdout).toContain('environment.PLAIN')
  for (const { stdout, stderr } of [created, token, plain]) expect(stdout + stderr).not.toContain('second-value')
  expect(await shown('secret-a')).toMatchObject({ environment: { PLAIN: 'second-value-of-plain' }, version: 2 })
})

test('values from the environment are shown neither in names nor in faults', async () => {
  const { write, apply } = folder('hidden')
  const text = `${workflow('hidden-${MY_TOKEN}')}description: '1'\n`
  write({ 'a.yaml': text })
  const environment = { MY_TOKEN: 'value-of-token', MY_ZONE: 'Mars/Olympus' }
  const created = await apply(['--yes'], environment)
  expect(created).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('+ hidden-${MY_TOKEN}  new: hidden/a.yaml:1'),
  })
  expect(created.stderr).toContain('hidden-${MY_TOKEN} created')
  expect(await exists('hidden-value-of-token')).toBe(true)
  write({ 'a.yaml': text.replace("'1'", "'2'") })
  const changed = await apply(['--yes'], environment)
  expect(changed).toMatchObject({ code: 0, stderr: expect.stringContaining('hidden-${MY_TOKEN} changed') })
  const programs = await apply(['--dry-run', '--json'], environment)
  for (const { stdout, stderr } of [created, changed, programs]) expect(stdout + stderr).not.toContain('value-of-token')

  write({ 'a.yaml': `${text}schedule: {intervals: [{every: 5m}], time_zone: "\${MY_ZONE}"}\n` })
  const { code, stderr } = await apply(['--yes'], environment)
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/a\.yaml:5: schedule\.time_zone: /) })
  expect(stderr).not.toContain('Mars')
})

test('two names that are equal once the environment is filled in are reported', async () => {
  const { write, apply } = folder('same')
  write({ 'a.yaml': workflow('same-x'), 'b.yaml': workflow('same-${MY_PART}') })
  const { code, stderr } = await apply(['--yes'], { MY_PART: 'x' })
  expect(code).toBe(2)
  expect(stderr).toContain('same/b.yaml:1: name: "same-${MY_PART}" is also in same/a.yaml:1')
})

test('--prune deletes what came from these files, and nothing else', async () => {
  const { write, apply, remove } = folder('prune')
  const other = folder('prune-other')
  write({ 'a.yaml': workflow('prune-a'), 'b.yaml': workflow('prune-b') })
  other.write({ 'c.yaml': workflow('prune-c') })
  await apply(['--yes'])
  await other.apply(['--yes'])
  remove('b.yaml')
  expect((await apply(['--yes'])).stdout).toContain('1 unchanged, 0 to be deleted')
  expect(await exists('prune-b')).toBe(true)

  const dry = await apply(['--prune', '--dry-run'])
  expect(dry).toMatchObject({ code: 1, stdout: expect.stringContaining('- prune-b  to be deleted') })
  expect(await exists('prune-b')).toBe(true)
  const pruned = await apply(['--prune', '--yes'])
  expect(pruned).toMatchObject({ code: 0, stderr: expect.stringContaining('prune-b deleted') })
  expect(await exists('prune-b')).toBe(false)
  expect(await exists('prune-c')).toBe(true)
  expect((await apply(['--prune', '--dry-run'])).code).toBe(0)

  remove('a.yaml')
  const empty = await apply(['--prune', '--yes'])
  expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('no workflows in prune') })
  expect(empty.stderr).toContain('millrace workflows delete')
  expect(await exists('prune-a')).toBe(true)
  for (const verb of ['pause', 'delete']) expect((await run(['workflows', verb, 'prune-a'])).code).toBe(0)
})

test('a workflow with an open run is not pruned until the run has ended', async () => {
  const { write, apply, remove } = folder('busy')
  const gate = join(server.cwd, 'busy-gate')
  write({ 'a.yaml': workflow('busy-a', `'until [ -e ${gate} ]; do sleep 0.05; done'`), 'b.yaml': workflow('busy-b') })
  await apply(['--yes'])
  const runId = (await run(['trigger', 'busy-a'])).stdout.trim()
  remove('a.yaml')
  const refused = await apply(['--prune', '--yes'])
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('busy-a is not deleted') })
  expect(await shown('busy-a')).toMatchObject({ state: 'active' })
  writeFileSync(gate, '')
  expect((await run(['runs', 'watch', runId])).code).toBe(0)
  expect((await apply(['--prune', '--yes'])).code).toBe(0)
  expect(await exists('busy-a')).toBe(false)
})

test('nothing is written without --yes when there is no terminal', async () => {
  const { write, apply } = folder('ask')
  write({ 'a.yaml': workflow('ask-a') })
  const { code, stdout, stderr } = await apply()
  expect(code).toBe(1)
  expect(stdout).toContain('+ ask-a')
  expect(stderr).toContain('--yes')
  expect(await exists('ask-a')).toBe(false)
})

test('a terminal asks first, and only a yes writes', async context => {
  needTerminal(context)
  const { write } = folder('asked')
  write({ 'a.yaml': workflow('asked-a') })
  const answer = async (text: string) => {
    const child = startOnTerminal(['workflows', 'apply', 'asked'], { cwd: server.cwd })
    await printed(child.stdout, /Change 1 workflow\? \[y\/N\]/)
    child.stdin.write(text)
    return (await once(child, 'close'))[0]
  }
  expect(await answer('no\r')).toBe(1)
  expect(await exists('asked-a')).toBe(false)
  expect(await answer('y\r')).toBe(0)
  expect(await exists('asked-a')).toBe(true)
})

test('two that apply the same files at once create each workflow once', async () => {
  const { write, apply } = folder('both')
  write({ 'a.yaml': `${workflow('both-a')}---\n${workflow('both-b')}` })
  const ends = await Promise.all([apply(['--yes']), apply(['--yes'])])
  expect(ends.map(end => end.code)).toEqual([0, 0])
  expect(await shown('both-a')).toMatchObject({ version: 1 })
  expect(await shown('both-b')).toMatchObject({ version: 1 })
})

test('there may be more files than a process may have open', () => {
  const { write } = folder('many')
  write(Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`${index}.yaml`, '[1]'])))
  const main = join(import.meta.dirname, '../../src/cli/main.ts')
  const limited = ['-c', 'ulimit -n 100; exec "$0" "$@"', process.execPath, main, 'workflows', 'apply', 'many']
  const { status, stderr } = spawnSync('sh', limited, { cwd: server.cwd, encoding: 'utf8' })
  expect([status, stderr]).toEqual([2, expect.stringContaining('300 faults in the files')])
})

test('the plan is available as JSON', async () => {
  const { write, apply } = folder('json')
  write({ 'a.yaml': workflow('json-a') })
  const { stdout } = await apply(['--dry-run', '--json'])
  expect(JSON.parse(stdout)).toEqual({
    workflows: [{ name: 'json-a', action: 'create', file: 'json/a.yaml', changes: [] }],
  })
})

test('a workflow of another set is taken over when a file has its name, and the plan shows it', async () => {
  const { write, apply } = folder('hand')
  const other = folder('hand-other')
  other.write({ 'a.yaml': workflow('hand-a') })
  await other.apply(['--yes'])
  write({ 'a.yaml': workflow('hand-a') })
  const { stdout } = await apply(['--yes'])
  expect(stdout).toContain('labels.millrace.set: "hand-other" → "hand"')
  expect(await shown('hand-a')).toMatchObject({ labels: { 'millrace.set': 'hand' } })
})

test.each([
  ['yaml', []],
  ['json', ['--json']],
])(
  'the output of show --definition is a valid file (%s) that changes nothing else in an existing workflow',
  async (format, options) => {
    const name = `printed-${format}`
    const { write, apply } = folder(name)
    const made = folder(`${name}-before`)
    made.write({ 'a.yaml': `${workflow(name)}environment: {A_TOKEN: a secret of it}\n` })
    await made.apply(['--yes'])
    const { stdout: text } = await run(['workflows', 'show', name, '--definition', ...options])
    write({ [`a.${format}`]: text })
    const { code, stdout } = await apply(['--yes'])
    expect(code).toBe(0)
    expect(stdout.split('\n').filter(line => line.startsWith('    '))).toEqual([
      `    labels.millrace.set: "${name}-before" → "${name}"`,
    ])
    const { stdout: plan } = await apply(['--dry-run'])
    expect(plan).toContain('0 new, 0 changed, 1 unchanged')
    write({ [`a.${format}`]: text.replace(name, `${name}-new`) })
    const refused = await apply(['--yes'])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('environment.A_TOKEN: ')
  },
)

test('fields that only the server sets are refused in a file, even for an existing workflow', async () => {
  const { write, apply } = folder('read-only')
  write({ 'a.yaml': workflow('read-only-a') })
  await apply(['--yes'])
  write({ 'a.yaml': `${workflow('read-only-a', 'echo new')}state: paused\nversion: 7\n` })
  const { code, stderr } = await apply(['--yes'])
  expect(code).toBe(2)
  expect(stderr).toMatch(/read-only\/a\.yaml:4: state: is set only by the server/)
  expect(stderr).toMatch(/read-only\/a\.yaml:5: version: /)
  expect(await shown('read-only-a')).toMatchObject({ state: 'active', version: 1, payload: [{ command: 'exit 0' }] })
  expect((await run(['workflows', 'show', 'read-only-a', '--json'])).stdout).toContain('"state": "active"')
})

test('a missing path and a refusal by the server are reported in words', async () => {
  expect(await run(['workflows', 'apply', 'nowhere-at-all'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('nowhere-at-all'),
  })
  const { write } = folder('refused')
  write({ 'a.yaml': workflow('refused-a') })
  const { code, stderr } = await inProcess(['workflows', 'apply', 'refused', '--yes'], {
    cwd: server.cwd,
    environment: { MILLRACE_TOKEN: 'mr_wrong' },
  })
  expect(code).toBe(125)
  expect(stderr).toContain('(unauthenticated)')
})
