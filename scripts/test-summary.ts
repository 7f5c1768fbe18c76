/**
 * What a run of the tests came to, from the JSON that Vitest writes: every skipped test by name, then `N passed, N failed`
 * on the last line. Exits 1 when a test failed, or was skipped for want of something that could be installed: where this
 * runs every tool is. What a kernel lacks nobody can install.
 *
 *     node scripts/test-summary.ts <results.json> [failures of checks before the tests]
 */
import { readFileSync } from 'node:fs'

/** The part of Vitest's JSON that counts here. */
export type TestResults = {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/** How tests that need a facility of the kernel say so in their name. */
const KERNEL_FACILITY = /needs (a writable (pids cgroup|cgroup v2)|user namespaces)\)/

/** Lines to print, the last one being the count, and whether all is well. */
export const summarize = (results: TestResults, failedChecks: number): { lines: readonly string[]; ok: boolean } => {
  const tests = results.testResults.flatMap(file => file.assertionResults)
  const passed = tests.filter(test => test.status === 'passed').length
  const skipped = tests.filter(test => ['skipped', 'pending', 'todo', 'disabled'].includes(test.status))
  const missed = skipped.filter(test => !KERNEL_FACILITY.test(test.fullName)).length
  const failed = tests.filter(test => test.status === 'failed').length + brokenFiles(results).length + failedChecks
  return {
    lines: [
      ...brokenFiles(results).map(file => `broken file: ${file.name}: ${file.message ?? ''}`),
      ...skipped.map(test => `skipped: ${test.fullName}`),
      `${passed} passed, ${failed + missed} failed`,
    ],
    ok: failed === 0 && missed === 0 && passed > 0,
  }
}

/** Files that failed as a whole, before a test of theirs could. */
const brokenFiles = (results: TestResults) =>
  results.testResults.filter(
    file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'),
  )

const readResults = (path: string): TestResults => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestResults
  } catch (error) {
    // The run itself broke: one failure, in words.
    return { testResults: [{ name: path, status: 'failed', message: (error as Error).message, assertionResults: [] }] }
  }
}

if (import.meta.main) {
  const [path, failedChecks] = process.argv.slice(2)
  const { lines, ok } = summarize(readResults(path!), Number(failedChecks ?? 0))
  for (const line of lines) console.log(line)
  process.exitCode = ok ? 0 : 1
}
