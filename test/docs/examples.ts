import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'vitest'

/** A block of a page that is run, with the expected output below it, if any. */
export type Example = {
  readonly script: string
  readonly shown: { readonly language: string; readonly text: string } | null
}

const BLOCK = /^```(\w*)\n([\s\S]*?)^```$/gm

/** The blocks of a page that begin with `# runs`, each with the `json` or nameless block that comes next. */
export const examplesOf = (page: string): readonly Example[] => {
  const blocks = [...page.matchAll(BLOCK)].map(([, language = '', text = '']) => ({ language, text }))
  return blocks.flatMap(({ language, text }, index) => {
    if (language !== 'sh' || !text.startsWith('# runs\n')) return []
    const next = blocks[index + 1]
    return [{ script: text, shown: next?.language === 'json' || next?.language === '' ? next : null }]
  })
}

type Place = { readonly cwd: string; readonly environment: Readonly<Record<string, string | undefined>> }

/** Runs a script as a reader would, and fails if any of its commands does. Returns its standard output. */
export const runScript = async (script: string, { cwd, environment }: Place): Promise<string> => {
  const child = spawn('bash', ['-c', `set -euo pipefail\n${script}`], {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stderr.on('data', data => {
    errors += data
  })
  child.stdout.on('data', data => {
    output += data
  })
  const [code] = await once(child, 'close')
  expect(code, `${script}\n${output}\n${errors}`).toBe(0)
  return output
}

const MARK = '=== end of the example ==='

/** Runs examples one after the other in one shell, so that variables persist; returns what each printed. */
export const runExamples = async (examples: readonly Example[], place: Place): Promise<readonly string[]> => {
  const output = await runScript(examples.map(({ script }) => `${script}\necho; echo '${MARK}'`).join('\n'), place)
  return output.split(`${MARK}\n`)
}
