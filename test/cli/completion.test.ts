import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inProcess } from './millrace.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-completion-'))
afterAll(() => rmSync(directory, { recursive: true }))

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await inProcess(['completion', shell], { cwd: directory })
    expect(code).toBe(0)
    writeFileSync(join(directory, shell), stdout)
  }
})

const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0
const run = (shell: string, args: readonly string[]): string =>
  execFileSync(shell, args, { cwd: directory, encoding: 'utf8' }).trim()

/** What each shell offers for the words of a line, the last of which is under the cursor. */
const OFFERS: Readonly<Record<string, (words: readonly string[]) => string>> = {
  bash: words =>
    run('bash', [
      '--norc',
      '-c',
      `source ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _millrace; echo "\${COMPREPLY[*]}"`,
      '-',
      ...words,
    ]),
  // Without the line editor of the shell, the offers are printed.
  zsh: words =>
    run('zsh', [
      '-f',
      '-c',
      `compdef() { :; }; _files() { :; }; compset() { PREFIX=\${PREFIX#*=}; }; compadd() { shift; print -- \${(M)@:#$PREFIX*}; }
       source ./zsh; words=("$@"); CURRENT=$#; PREFIX=\${@[-1]}; _millrace`,
      '-',
      ...words,
    ]),
  fish: words =>
    run('fish', ['--no-config', '-c', 'source ./fish; complete -C "$argv"', ...words])
      .split('\n')
      .map(line => line.split('\t')[0])
      .join(' '),
}

describe.each(['bash', 'zsh', 'fish'])('completion of %s', shell => {
  const offers = OFFERS[shell]!
  const offered = (...words: readonly string[]): readonly string[] =>
    offers(['millrace', ...words])
      .split(' ')
      .sort()

  test.skipIf(!has(shell))(`suggests commands, options and values (needs ${shell})`, () => {
    expect(offered('impo')).toEqual(['import'])
    expect(offered('import', '--m')).toEqual(['--max-bad-rows', '--mode'])
    expect(offered('import', '--mode', '')).toEqual(['append', 'replace'])
    expect(offered('query', 'SELECT', '-f', 'arr')).toEqual(['arrow', 'arrow_stream'])
    expect(offered('datasources', 'tru')).toEqual(['truncate'])
    expect(offered('datasources', 'list', '--l')).toEqual(['--limit'])
    // The list is what a group prints by itself.
    expect(offered('runs', '--trigger', 'm')).toEqual(['manual'])
    expect(offered('completion', '')).toEqual(['bash', 'fish', 'zsh'])
    // An argument named like a command is not a command.
    expect(offered('run', 'import', '--mod')).not.toContain('--mode')
  })

  test.skipIf(!has(shell))(`runs nothing from the line, and completes nothing after -- (needs ${shell})`, () => {
    expect(offered('import', '$(touch ran)', '`touch ran`', '--mod')).toEqual(['--mode'])
    expect(existsSync(join(directory, 'ran'))).toBe(false)
    expect(offered('run', '--', 'datasources', '--tim')).toEqual([''])
  })
})

test('an unknown shell is refused with the names of the supported ones', async () => {
  const { code, stderr } = await inProcess(['completion', 'tcsh'], { cwd: directory })
  expect(code).toBe(2)
  expect(stderr).toContain('Allowed choices are bash, zsh, fish.')
})
