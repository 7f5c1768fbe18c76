import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ExecutionContext } from '../../src/executors/executor.ts'
import { MillraceError } from '../../src/kernel/errors.ts'
import { hasBubblewrap } from '../bubblewrap.ts'
import { useExecutor } from './executor.ts'

/** Keeps the content of what is collected: paths are valid only during the call. */
const collector = () => {
  const content: Record<string, string> = {}
  const addArtifact: ExecutionContext['addArtifact'] = async ({ name, path }) => {
    if (name in content) return 'name_taken'
    content[name] = readFileSync(path, 'utf8')
    return 'added'
  }
  return { content, addArtifact }
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-artifacts-'))
  chmodSync(folder, 0o755)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('artifacts of a command', () => {
  const { run, options } = useExecutor()

  test('are the files below the working directory that match, by relative name', async () => {
    const { content, addArtifact } = collector()
    const command = 'mkdir -p d/e; echo 1 > a.txt; echo 2 > d/e/b.txt; echo 3 > d/c.csv; echo 4 > .hidden.txt'
    const { outcome } = await run({ command, artifacts: ['**/*.txt', 'd/*.csv'] }, { addArtifact })
    expect(outcome.type).toBe('completed')
    expect(content).toEqual({ 'a.txt': '1\n', 'd/e/b.txt': '2\n', 'd/c.csv': '3\n' })
  })

  test('are collected when the command fails, which keeps its reason', async () => {
    const { content, addArtifact } = collector()
    const { outcome } = await run({ command: 'echo 1 > a; exit 2', artifacts: ['a'] }, { addArtifact })
    expect(outcome).toMatchObject({ reason: 'exit_code', exit: { exitCode: 2 } })
    expect(content).toEqual({ a: '1\n' })
  })

  test('are not collected when the command was cancelled', async () => {
    const { content, addArtifact } = collector()
    const act = (context: { stop: { stop: (cause: 'cancelled_by_user', graceMs: number) => void } }): void => {
      setImmediate(() => context.stop.stop('cancelled_by_user', 0))
    }
    const { outcome } = await run({ command: 'echo 1 > a; sleep 300', artifacts: ['a'] }, { addArtifact, act })
    expect(outcome.type).toBe('stopped')
    expect(content).toEqual({})
  })

  test('are never links, neither to files nor to directories', async () => {
    const { content, addArtifact } = collector()
    const command = 'ln -s /etc/hostname file.txt; ln -s /etc dir; mkfifo pipe.txt; echo ok > real.txt'
    await run({ command, artifacts: ['*.txt', 'dir/passwd', 'dir/**'] }, { addArtifact })
    expect(content).toEqual({ 'real.txt': 'ok\n' })
  })

  test('are not collected outside the working directory', async () => {
    const { content, addArtifact } = collector()
    writeFileSync(join(folder, 'outside'), 'no')
    mkdirSync(join(folder, 'inside'))
    const working_dir = join(folder, 'inside')
    await run({ command: 'true', working_dir, artifacts: ['../outside', '/etc/passwd'] }, { addArtifact })
    expect(content).toEqual({})
  })

  test('are never files of the data directory', async () => {
    const { content, addArtifact } = collector()
    writeFileSync(join(options.dataDir, 'secret-key'), 'secret')
    const { outcome } = await run(
      { command: 'true', working_dir: dirname(options.dataDir), artifacts: ['**'] },
      { addArtifact },
    )
    expect(outcome.type).toBe('completed')
    expect(content).toEqual({})
  })

  test('cannot come from a working directory in the data directory', async () => {
    symlinkSync(options.dataDir, join(folder, 'way-in'))
    for (const working_dir of [options.dataDir, join(folder, 'way-in')]) {
      const { outcome } = await run({ command: 'true', working_dir })
      expect(outcome).toMatchObject({ reason: 'working_dir_missing' })
    }
  })

  test('that cannot be stored because the database is away or too many files are open are a system failure', async () => {
    const faults = [
      new MillraceError('unavailable', 'The database cannot be reached.'),
      Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' }),
    ]
    for (const fault of faults) {
      const addArtifact = () => Promise.reject(fault)
      await expect(run({ command: 'echo 1 > a', artifacts: ['a'] }, { addArtifact })).rejects.toBe(fault)
      const { outcome } = await run({ command: 'echo 1 > a; exit 3', artifacts: ['a'] }, { addArtifact })
      expect(outcome).toMatchObject({ failure: 'user', reason: 'exit_code' })
    }
  })

  test('that cannot be stored make an otherwise successful command fail', async () => {
    const addArtifact = () => Promise.reject(new Error('refused'))
    const { outcome } = await run({ command: 'echo 1 > a', artifacts: ['a'] }, { addArtifact })
    expect(outcome).toMatchObject({ failure: 'user', reason: 'artifact_failed', exit: { exitCode: 0 } })
  })

  test('that meet a full disk make the command fail with disk_full', async () => {
    const addArtifact = () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
    const { outcome } = await run({ command: 'echo 1 > a', artifacts: ['a'] }, { addArtifact })
    expect(outcome).toMatchObject({ failure: 'user', reason: 'disk_full', exit: { exitCode: 0 } })
  })

  test('whose name is taken do not make the command fail', async () => {
    const { outcome } = await run(
      { command: 'echo 1 > a', artifacts: ['a'] },
      { addArtifact: async () => 'name_taken' as const },
    )
    expect(outcome.type).toBe('completed')
  })

  describe('with names that artifacts cannot have', () => {
    const NAMES = [
      [String.raw`b\\s`, String.raw`"b\\s"`],
      [String.raw`b\nl`, String.raw`"b\nl"`],
      [String.raw`b\033[31m`, String.raw`"b\u001b[31m"`],
      [String.raw`b\302\205c`, String.raw`"b\u0085c"`],
      [String.raw`b\342\200\250`, String.raw`"b\u2028"`],
      [String.raw`b\377x`, String.raw`"b\xffx"`],
      [String.raw`d\377/x`, String.raw`"d\xff/x"`],
      [String.raw`d\n/b`, String.raw`"d\n/b"`],
      ['c:b', '"c:b"'],
    ] as const

    test.each(NAMES)('%s is reported, and all others are stored', async (name, shown) => {
      const { content, addArtifact } = collector()
      const command = `p=$(printf '${name}.'); p=\${p%.}; echo 1 > a; mkdir -p d z; case $p in */*) mkdir "\${p%/*}";; esac; echo no > "$p"; echo 2 > c; echo 3 > z/d`
      const { outcome } = await run({ command, artifacts: ['**'] }, { addArtifact })
      expect(outcome).toMatchObject({
        type: 'failed',
        failure: 'user',
        reason: 'artifact_failed',
        exit: { exitCode: 0 },
      })
      expect((outcome as { message: string }).message).toContain(shown)
      expect(content).toEqual({ a: '1\n', c: '2\n', 'z/d': '3\n' })
    })

    test('are all reported, up to ten', async () => {
      const { content, addArtifact } = collector()
      const command = `echo 1 > a; echo 2 > z; for i in 1 2 3; do echo > "b\\\\$i"; done`
      const few = await run({ command, artifacts: ['*'] }, { addArtifact })
      const { message } = few.outcome as { message: string }
      for (const shown of [String.raw`"b\\1"`, String.raw`"b\\2"`, String.raw`"b\\3"`]) expect(message).toContain(shown)
      expect(content).toEqual({ a: '1\n', z: '2\n' })
      const many = await run({ command: `seq 500 | sed 's/^/b\\\\/' | xargs -d '\\n' touch`, artifacts: ['*'] })
      const told = (many.outcome as { message: string }).message
      expect(told.match(/"b\\\\/g)).toHaveLength(10)
      expect(told).toContain('500 artifacts')
      expect(told).toContain('490 more')
    })

    test('of great length do not make the message long', async () => {
      const long = 'x'.repeat(200)
      const command = `p=.; for i in 1 2 3 4 5 6; do p=$p/${long}; done; mkdir -p $p; touch $p/f a`
      const { outcome, context } = await run({ command, artifacts: ['**'] })
      const { message } = outcome as { message: string }
      expect(message).toContain('xxx')
      expect(message.length).toBeLessThan(1000)
      expect([...context.artifacts.keys()]).toEqual(['a'])
    })

    test('leave the failure reason of the command as it is', async () => {
      const { outcome, context } = await run({ command: `touch 'b\\s' c; exit 3`, artifacts: ['*'] })
      expect(outcome).toMatchObject({ reason: 'exit_code', exit: { exitCode: 3 } })
      expect([...context.artifacts.keys()]).toEqual(['c'])
    })

    test('are no failure if no pattern matches them', async () => {
      const { outcome, context } = await run({ command: `touch 'b\\s' a.txt`, artifacts: ['*.txt'] })
      expect(outcome.type).toBe('completed')
      expect([...context.artifacts.keys()]).toEqual(['a.txt'])
    })
  })

  test('that are too large are left out, and the others are stored', async () => {
    const { content, addArtifact } = collector()
    const limited: ExecutionContext['addArtifact'] = file =>
      file.name === 'b' ? Promise.reject(new MillraceError('too_large', 'At most 5 bytes.')) : addArtifact(file)
    const { outcome } = await run(
      { command: 'for f in a b c; do echo $f > $f; done', artifacts: ['*'] },
      { addArtifact: limited },
    )
    expect(outcome).toMatchObject({ reason: 'artifact_failed', message: expect.stringContaining('"b"') })
    expect(content).toEqual({ a: 'a\n', c: 'c\n' })
  })

  test('of more than 10,000 files are refused', async () => {
    const { outcome } = await run({ command: 'seq 10001 | xargs touch', artifacts: ['*'] })
    expect(outcome).toMatchObject({ reason: 'artifact_failed' })
  })
})

const isRoot = process.getuid?.() === 0

const LIMITED = [
  { who: 'another user', changes: { jobUser: 'nobody' }, stranger: 'root', needs: isRoot ? '' : ' (needs root)' },
  // Without capabilities, file permissions apply to root, too.
  {
    who: 'root in a sandbox',
    changes: { sandbox: 'bubblewrap' },
    stranger: 'nobody',
    needs: isRoot && hasBubblewrap ? '' : ' (needs root and a working bwrap)',
  },
] as const

for (const { who, changes, stranger, needs } of LIMITED) {
  describe.skipIf(needs !== '')(`artifacts of a command that runs as ${who}${needs}`, () => {
    const { run } = useExecutor(changes)
    let place: string
    beforeEach(() => {
      place = mkdtempSync(join(folder, 'limited-'))
      chmodSync(place, 0o755)
    })
    const give = (path: string, owner: string) => execFileSync('chown', ['-R', owner, path])

    test('are only what that user may read, even if the server may read more', async () => {
      writeFileSync(join(place, 'open.txt'), 'open', { mode: 0o644 })
      writeFileSync(join(place, 'closed.txt'), 'closed', { mode: 0o600 })
      give(place, stranger)
      const open = collector()
      const closed = collector()
      const first = await run({ command: 'true', working_dir: place, artifacts: ['open.txt'] }, open)
      const second = await run({ command: '! cat closed.txt', working_dir: place, artifacts: ['*.txt'] }, closed)
      expect(first.outcome.type).toBe('completed')
      expect(open.content).toEqual({ 'open.txt': 'open' })
      expect(second.outcome).toMatchObject({
        reason: 'artifact_failed',
        message: expect.stringContaining('"closed.txt"'),
      })
      expect(closed.content).toEqual({ 'open.txt': 'open' })
    })

    test('are not found in a directory that user cannot enter', async () => {
      mkdirSync(join(place, 'private'))
      writeFileSync(join(place, 'private', 'readable'), 'no', { mode: 0o644 })
      chmodSync(join(place, 'private'), 0o700)
      give(place, stranger)
      const { content, addArtifact } = collector()
      const { outcome } = await run(
        { command: '! cat private/readable', working_dir: place, artifacts: ['**'] },
        { addArtifact },
      )
      expect(outcome.type).toBe('completed')
      expect(content).toEqual({})
    })

    // In a sandbox the working directory is a mount point and cannot be replaced.
    if (!('sandbox' in changes))
      test('are not collected through a link to what that user cannot reach', async () => {
        const open = join(folder, 'closed', 'open')
        mkdirSync(join(place, 'dir'))
        mkdirSync(open, { recursive: true })
        writeFileSync(join(open, 'readable'), 'no', { mode: 0o644 })
        chmodSync(join(folder, 'closed'), 0o700)
        give(place, 'nobody')
        const { content, addArtifact } = collector()
        const command = `cd ..; rmdir dir; ln -s ${open} dir`
        const { outcome } = await run({ command, working_dir: join(place, 'dir'), artifacts: ['**'] }, { addArtifact })
        expect(outcome).toMatchObject({ reason: 'artifact_failed' })
        expect(content).toEqual({})
      })

    test('come from the private directory of that user', async () => {
      const { content, addArtifact } = collector()
      await run({ command: 'umask 077; mkdir d; echo mine > d/a', artifacts: ['d/a'] }, { addArtifact })
      expect(content).toEqual({ 'd/a': 'mine\n' })
    })
  })
}
