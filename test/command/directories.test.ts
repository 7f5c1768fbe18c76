import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasBubblewrap } from '../bubblewrap.ts'
import { useExecutor } from './executor.ts'

const isRoot = process.getuid?.() === 0

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-directories-'))
  chmodSync(folder, 0o777)
  writeFileSync(join(folder, 'passwd'), 'not of the command')
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What commands can do to their working directory; `$PLACE` is a directory outside it. */
const DEEDS = {
  'removes it': 'rmdir "$PWD"',
  'moves it away': 'mv "$PWD" "$PLACE/moved.$MILLRACE_ATTEMPT"',
  'puts a file in its place': 'd=$PWD; rmdir "$d"; echo f > "$d"',
  'puts a link to a directory in its place': 'd=$PWD; rmdir "$d"; ln -s "$PLACE" "$d"',
  'puts a link to nothing in its place': 'd=$PWD; rmdir "$d"; ln -s /no/where "$d"',
  'puts a link to itself in its place': 'd=$PWD; rmdir "$d"; ln -s "$d" "$d"',
  'puts a pipe in its place': 'd=$PWD; rmdir "$d"; mkfifo "$d"',
  'makes it anew': 'd=$PWD; rmdir "$d"; mkdir "$d"; echo 1 > "$d/a"',
  'makes it unreadable': 'mkdir b; echo 1 > b/a; chmod 0 b .',
  'moves its parent away': 'cd ../..; mv scratch "$PLACE/scratch.$MILLRACE_ATTEMPT"',
  'puts a file in the place of its parent': 'cd ../..; mv scratch "$PLACE/parent.$MILLRACE_ATTEMPT"; echo f > scratch',
  'puts a link in the place of its parent':
    'cd ../..; mv scratch "$PLACE/aside.$MILLRACE_ATTEMPT"; ln -s "$PLACE" scratch',
  'makes its parent unreadable': 'cd ..; test "$(basename "$PWD")" = scratch && chmod 0 .',
} as const

describe('a command that', () => {
  const { run, options } = useExecutor()
  const scratch = () => join(options.dataDir, 'scratch')
  let attempt = 0
  const surroundings = (): { environment: Record<string, string> } => ({
    environment: { PLACE: folder, MILLRACE_ATTEMPT: String(attempt++) },
  })

  describe.each(Object.entries(DEEDS))('changes its directory (%s)', (_, command) => {
    test('completes, and the next command completes in an empty directory', async () => {
      const { outcome, context } = await run({ command: `echo done; ${command}` }, surroundings())
      expect(outcome).toEqual({ type: 'completed', exit: { exitCode: 0, signal: null } })
      expect(context.log.text('stdout')).toBe('done\n')
      const next = await run({
        command: 'ls -A; ls -A "$TMPDIR"; stat -c %a . "$TMPDIR"; echo x > x; echo y > "$TMPDIR/y"',
      })
      expect(next.outcome.type).toBe('completed')
      expect(next.context.log.text('stdout')).toBe('700\n700\n')
    })

    test('gets no artifact from outside its directory', async () => {
      const { outcome, context } = await run(
        { command, artifacts: ['pass*', '**/hostname', '*/passwd'] },
        surroundings(),
      )
      expect([...context.artifacts.keys()]).toEqual([])
      expect(outcome).toMatchObject({ exit: { exitCode: 0 } })
      if (outcome.type === 'failed') expect(outcome.reason).toBe('artifact_failed')
    })

    test('leaves nothing behind in the directories of attempts', async () => {
      await run({ command, stdin: 'in' }, surroundings())
      await run({ command: 'true' })
      for (const name of readdirSync(scratch())) {
        expect(lstatSync(join(scratch(), name)).isDirectory()).toBe(true)
        expect(readdirSync(join(scratch(), name))).toEqual([])
      }
      expect(existsSync(join(folder, 'passwd'))).toBe(true)
    })
  })

  test('replaces its script and its standard input by directories completes', async () => {
    const replace = 's=$(readlink /proc/self/fd/0); for f in "$0" "$s"; do rm -- "$f"; mkdir "$f"; echo > "$f/x"; done'
    const { outcome } = await run({ command: `: ${'x'.repeat(200_000)}\n${replace}`, stdin: 'in' })
    expect(outcome.type).toBe('completed')
    expect(readdirSync(scratch()).filter(name => /script|stdin/.test(name))).toEqual([])
  })

  test('takes the names of the next directories does not hinder the next commands', async () => {
    await run({ command: 'cd ..; i=0; while [ $i -lt 200 ]; do mkdir -p dir$i; i=$((i+1)); done' })
    const all = await Promise.all(Array.from({ length: 20 }, () => run({ command: 'ls -A' })))
    for (const { outcome, context } of all) {
      expect(outcome.type).toBe('completed')
      expect(context.log.text('stdout')).toBe('')
    }
  })

  test('starts after its prepared directories were removed completes', async () => {
    const { context } = await run({ command: 'pwd; echo "$TMPDIR"' })
    for (const path of context.log.text('stdout').trim().split('\n')) rmdirSync(path)
    const next = await run({ command: 'pwd -P' })
    expect(next.outcome.type).toBe('completed')
  })
})

describe('artifacts of a command', () => {
  const { run } = useExecutor()

  test('are none if its directory is gone, and that is no failure', async () => {
    const { outcome, context } = await run({ command: 'echo 1 > ../moved; rmdir "$PWD"', artifacts: ['**'] })
    expect(outcome.type).toBe('completed')
    expect([...context.artifacts.keys()]).toEqual([])
  })

  test('are collected from a directory that the command has recreated', async () => {
    const { outcome, context } = await run({
      command: 'd=$PWD; rmdir "$d"; mkdir "$d"; echo 1 > "$d/a"',
      artifacts: ['*'],
    })
    expect(outcome.type).toBe('completed')
    expect([...context.artifacts.keys()]).toEqual(['a'])
  })

  test('are not collected through a link in place of the directory, and the failure says so', async () => {
    const command = 'd=$PWD; rmdir "$d"; ln -s "$PLACE" "$d"'
    const { outcome, context } = await run({ command, artifacts: ['pass*'] }, { environment: { PLACE: folder } })
    expect(outcome).toMatchObject({
      reason: 'artifact_failed',
      message: expect.stringContaining('link'),
      exit: { exitCode: 0 },
    })
    expect([...context.artifacts.keys()]).toEqual([])
  })

  test.each([
    ['its own working_dir', 'cd ..; mv inner "moved.$$"; ln -s "$PLACE" inner'],
    [
      'a parent of its working_dir',
      'cd ../..; mv outer "moved.$$"; mkdir -p else/inner; echo 1 > else/inner/passwd; ln -s else outer',
    ],
  ])('are not collected through a link in place of %s', async (_, command) => {
    const working_dir = join(mkdtempSync(join(folder, 'given-')), 'outer', 'inner')
    mkdirSync(working_dir, { recursive: true })
    const { outcome, context } = await run(
      { command, working_dir, artifacts: ['pass*'] },
      { environment: { PLACE: folder } },
    )
    expect(outcome).toMatchObject({ reason: 'artifact_failed', message: expect.stringContaining('link') })
    expect([...context.artifacts.keys()]).toEqual([])
  })

  test('come from a working_dir that is a link', async () => {
    const given = mkdtempSync(join(folder, 'given-'))
    mkdirSync(join(given, 'real'))
    execFileSync('ln', ['-s', 'real', join(given, 'link')])
    const { outcome, context } = await run({
      command: 'echo 1 > a',
      working_dir: join(given, 'link'),
      artifacts: ['*'],
    })
    expect(outcome.type).toBe('completed')
    expect([...context.artifacts.keys()]).toEqual(['a'])
  })
})

/** The commands below change their TMPDIR: never that of the machine. */
const UNLESS_SHARED = 'case $TMPDIR in ""|/tmp|/var/tmp) exit 99;; esac'

const modes = [
  { mode: 'as the server’s user', changes: {}, works: true },
  { mode: 'as another user', changes: { jobUser: 'nobody' }, works: isRoot },
  { mode: 'in a sandbox', changes: { sandbox: 'bubblewrap' }, works: hasBubblewrap },
] as const

describe.each(modes)('the TMPDIR of a command $mode', ({ changes, works }) => {
  describe.skipIf(!works)(works ? 'as it is' : '(cannot be run here)', () => {
    const { run, options } = useExecutor(changes)
    const tempDirOf = async (command: string, spec: Record<string, unknown> = {}): Promise<string> => {
      const { outcome, context } = await run({ command: `echo "$TMPDIR"; ${command || 'exit'}`, ...spec })
      expect(outcome.type).toBe('completed')
      return context.log.text('stdout').split('\n')[0]!
    }

    test('is an empty writable directory of its own, outside its working directory', async () => {
      const { outcome, context } = await run({
        command:
          'ls -A "$TMPDIR"; stat -c "%a %u" "$TMPDIR" .; mktemp >/dev/null && mktemp -d >/dev/null; find . -mindepth 1; echo "$TMPDIR $PWD"',
        artifacts: ['**'],
      })
      expect(outcome.type).toBe('completed')
      const [temp, working, places] = context.log.text('stdout').trim().split('\n')
      expect(temp).toMatch(/^700 \d+$/)
      expect(working).toBe(temp)
      const [tempDir, workingDir] = places!.split(' ')
      expect(tempDir).not.toBe('/tmp')
      expect(tempDir!.startsWith(`${workingDir}/`)).toBe(false)
      expect(workingDir!.startsWith(`${tempDir}/`)).toBe(false)
      expect([...context.artifacts.keys()]).toEqual([])
    })

    test('is removed afterwards with everything in it, whatever the modes', async () => {
      const path = await tempDirOf(
        `${UNLESS_SHARED}; cd "$TMPDIR"; mkdir -p a/b; echo 1 > a/b/c; ln -s ${folder}/passwd l; chmod 0 a/b; chmod 500 a .`,
      )
      expect(existsSync(path)).toBe(false)
    })

    test('is removed after a command that was killed', async () => {
      const { context } = await run({ command: 'echo "$TMPDIR"; echo 1 > "$TMPDIR/a"; kill -9 $$' })
      expect(existsSync(context.log.text('stdout').trim())).toBe(false)
    })

    test('is never shared and never has files of an earlier command', async () => {
      const command = 'ls -A "$TMPDIR"; echo secret > "$TMPDIR/f"; sleep 0.2; ls -A "$TMPDIR" | wc -l'
      const all = await Promise.all(Array.from({ length: 8 }, () => run({ command })))
      for (const { context } of all) expect(context.log.text('stdout').trim()).toBe('1')
    })

    test('may be removed or replaced by the command', async () => {
      // In a sandbox it is a mount point and stays.
      await tempDirOf(`${UNLESS_SHARED}; rmdir "$TMPDIR" 2>/dev/null || :`)
      await tempDirOf(`${UNLESS_SHARED}; rmdir "$TMPDIR" 2>/dev/null && ln -s "${folder}" "$TMPDIR" || :`)
      expect(existsSync(join(folder, 'passwd'))).toBe(true)
      await tempDirOf('echo 1 > "$TMPDIR/a"')
    })

    test('is the one in the environment of the job, if it sets one', async () => {
      expect(await tempDirOf('', { environment: { TMPDIR: '/dev/shm' } })).toBe('/dev/shm')
      expect(await tempDirOf('', { environment: { TMPDIR: '' } })).toBe('')
    })

    test('is its own even if the job has a working_dir, which is kept', async () => {
      const working_dir = mkdtempSync(join(folder, 'kept-'))
      chmodSync(working_dir, 0o777)
      const path = await tempDirOf('echo 1 > "$TMPDIR/a"; echo 2 > kept', { working_dir })
      expect(existsSync(path)).toBe(false)
      expect(readdirSync(working_dir)).toEqual(['kept'])
      expect(existsSync(options.dataDir)).toBe(true)
    })
  })
})

describe.skipIf(!hasBubblewrap)(`a sandboxed command${hasBubblewrap ? '' : ' (needs a working bwrap)'}`, () => {
  const { run } = useExecutor({ sandbox: 'bubblewrap' })

  test('sees only its own two of the directories of attempts', async () => {
    const { context } = await run({ command: 'ls -A "$PWD/.." | wc -l' })
    expect(context.log.text('stdout').trim()).toBe('2')
  })
})
